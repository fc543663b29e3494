"""The interface of a benchmark: its queries, its index images, and its protocol."""

from abc import abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from landmark_zoo.data.datasets.image_refs import ImageLocator, ImageRef

if TYPE_CHECKING:  # both import this module
    from landmark_zoo.evaluation.rankings import Rankings
    from landmark_zoo.evaluation.results import Results


class Benchmark(Protocol):
    """A ground truth with the rules by which rankings are measured against it.

    A new benchmark is a class like this one in a file of its own, and a row in `evaluation.protocols.BENCHMARKS`.

    Attributes:
        name: Name that reports and protocol cards show.
        query_ids: Ids of the queries that count.
        index_ids: Ids of the index images; equal scores are ranked in this order.
        ground_truth_sha256: Checksum of the ground truth.
        queries_ignored: Number of listed queries that do not count.
        apply_exif: Whether images are turned by their EXIF orientation; False where boxes are in pixels as stored.
        leave_one_out: Whether every query is an index image that is taken out of its own ranking, so that one set of
            embeddings serves both.
    """

    apply_exif: ClassVar[bool] = True
    leave_one_out: ClassVar[bool] = False

    name: str
    query_ids: tuple[str, ...]
    index_ids: tuple[str, ...]
    ground_truth_sha256: str
    queries_ignored: int

    @classmethod
    def recognizes(cls, folder: Path | None, ground_truth: Path | None) -> bool:
        """Returns whether the files are of this kind; False for kinds that must be asked for by name."""
        return False

    @classmethod
    @abstractmethod
    def open(cls, folder: Path | None, ground_truth: Path | None, photos: Path | None) -> Self:
        """Reads the benchmark.

        Args:
            folder: Folder of the benchmark, which exists; None with a ground truth that lies elsewhere.
            ground_truth: Ground truth that lies elsewhere, a file or a folder.
            photos: Folder of the images, for formats that do not list them.

        Raises:
            UserError: A file is missing or broken.
        """

    @abstractmethod
    def card_fields(self) -> dict[str, Any]:
        """Returns the fields of the `ProtocolCard` that the protocol decides, "protocol" among them."""

    @abstractmethod
    def labelled_ids(self, query_id: str) -> Collection[str]:
        """Returns the index images with a label for a query, such as positives and junk; all others are negatives."""

    @abstractmethod
    def relevance(self, query_id: str, image_id: str) -> str:
        """Returns the label of an index image for a query: "positive", "easy", "hard", "junk" or "negative"."""

    def query_images(self, locator: ImageLocator, crop: bool = True) -> list[ImageRef]:
        """Returns the images of the queries, in the order of `query_ids`.

        Args:
            locator: Finds an image's file by its id; a missing one stays in the list.
            crop: Whether queries are cut to their boxes, where the benchmark has boxes.

        Raises:
            UserError: Several files for one id.
        """
        return [ImageRef.located(query, locator) for query in self.query_ids]

    def index_images(self, locator: ImageLocator) -> list[ImageRef]:
        """Returns the index images, in the order of `index_ids`; arguments and errors as of `query_images`."""
        return [ImageRef.located(image, locator) for image in self.index_ids]

    @abstractmethod
    def evaluate(self, rankings: "Rankings", name: str, seed: int = 0) -> "Results":
        """Measures rankings by the benchmark's own protocol; a query without a ranking found nothing.

        Args:
            rankings: Rankings of index images, by query.
            name: Name of the system in reports.
            seed: Seed of the bootstrap intervals.
        """
