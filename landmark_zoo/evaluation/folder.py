"""A benchmark of one's own images: one folder per landmark, every image a query in turn."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.datasets.image_refs import ImageLocator, ImageRef
from landmark_zoo.evaluation.benchmark import Benchmark
from landmark_zoo.evaluation.rankings import Rankings
from landmark_zoo.evaluation.results import Results, make_results
from landmark_zoo.metrics.ranking import PRECISIONS, average_precision, precisions


@dataclass(frozen=True)
class FolderBenchmark(Benchmark):
    """Leave-one-out retrieval: each image should find the others of its landmark, and is left out of its own ranking.

    The protocol is mAP over the whole ranking by finite sum, P@1, P@10 and cP@10.

    Attributes:
        name: The folder's name.
        paths: Image id to its file.
        landmarks: Image id to its landmark.
        ground_truth_sha256: Checksum over images and landmarks.
    """

    leave_one_out: ClassVar[bool] = True

    name: str
    paths: Mapping[str, Path]
    landmarks: Mapping[str, str]
    ground_truth_sha256: str

    @classmethod
    def read(cls, folder: str | Path) -> "FolderBenchmark":
        """Reads one folder per landmark (`data.folder.read_folder`).

        Raises:
            UserError: No photographs, an id with a blank or twice, or no landmark with two photographs.
        """
        entries = list(read_folder([folder]))
        landmarks = {entry.id: entry.landmark_id for entry in entries}
        lines = "".join(f"{image}\t{landmark}\n" for image, landmark in sorted(landmarks.items()))
        benchmark = cls(Path(folder).resolve().name, {entry.id: Path(entry.path) for entry in entries}, landmarks,
                        hashlib.sha256(lines.encode()).hexdigest())
        if not benchmark.query_ids:
            raise UserError(f"a landmark with two photographs or more in {folder}", "none",
                            "Put the photographs of each landmark into a folder of their own.")
        return benchmark

    @classmethod
    def open(cls, folder: Path | None, ground_truth: Path | None, photos: Path | None) -> "FolderBenchmark":
        return cls.read(folder)

    @cached_property
    def query_ids(self) -> tuple[str, ...]:
        """Images of landmarks that have others."""
        counts = Counter(self.landmarks.values())
        return tuple(image for image, landmark in self.landmarks.items() if counts[landmark] > 1)

    @property
    def index_ids(self) -> tuple[str, ...]:
        """All images."""
        return tuple(self.landmarks)

    @property
    def queries_ignored(self) -> int:
        """Number of images that are the only one of their landmark."""
        return len(self.landmarks) - len(self.query_ids)

    def positives(self, query_id: str) -> frozenset[str]:
        """Returns the other images of the query's landmark."""
        return self._members[self.landmarks[query_id]] - {query_id}

    def card_fields(self) -> dict[str, Any]:
        return {"protocol": "folder", "crop": "none, the benchmark has no boxes", "average_precision": "finite sum",
                "precision": PRECISIONS,
                "junk": "the query itself, removed before ranks are counted"}

    def labelled_ids(self, query_id: str) -> frozenset[str]:
        """Returns the query itself, which is junk, and its positives."""
        return self._members[self.landmarks[query_id]]

    def relevance(self, query_id: str, image_id: str) -> str:
        if image_id == query_id:
            return "junk"
        return "positive" if image_id in self.labelled_ids(query_id) else "negative"

    def query_images(self, locator: ImageLocator | None = None, crop: bool = True) -> list[ImageRef]:
        """Returns the images of the queries; the benchmark knows their files itself."""
        return [ImageRef(image, self.paths[image]) for image in self.query_ids]

    def index_images(self, locator: ImageLocator | None = None) -> list[ImageRef]:
        """Returns all images; the benchmark knows their files itself."""
        return [ImageRef(image, path) for image, path in self.paths.items()]

    def evaluate(self, rankings: Rankings, name: str, seed: int = 0) -> Results:
        """Measures mAP over the whole ranking, P@1, P@10 and cP@10; each query is taken out of its own ranking."""
        figures = {}
        for query in self.query_ids:
            positives = self.positives(query)
            ranks = rankings.of(query).ranks(positives, {query})
            figures[query] = {"mAP": average_precision(ranks, len(positives), "finite_sum"),
                              **precisions(ranks, len(positives))}
        return make_results(self, rankings, name, seed, queries_used=len(figures),
                        values={key: [row[key] for row in figures.values()] for key in next(iter(figures.values()))},
                        per_query=[{"query_id": query, "average_precision": row["mAP"],
                                    "positives": len(self.positives(query))} for query, row in figures.items()])

    @cached_property
    def _members(self) -> dict[str, frozenset[str]]:
        members: dict[str, set[str]] = {}
        for image, landmark in self.landmarks.items():
            members.setdefault(landmark, set()).add(image)
        return {landmark: frozenset(images) for landmark, images in members.items()}
