"""The whitening that goes into an export."""

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.folder import read_folder
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.whitening.fit_on_photographs import fit_on_photographs
from landmark_zoo.retrieval.whitening.load_whitening import load_whitening
from landmark_zoo.retrieval.whitening.whitening import Whitening
from landmark_zoo.serving.embedders.whitened import WhiteningMap

_CHECKED = ("weights_sha256", "side", "scales", "aggregation")


@dataclasses.dataclass(frozen=True)
class WhiteningOptions:
    """Where the whitening comes from; nowhere by default.

    Attributes:
        whitening: Folder of a whitening, PCA or learnt, of experiments.postprocess.
        pca: Instead: fit a PCA to so many dimensions on --pca_images.
        pca_images: Folder of photographs for --pca; no queries, no index images.
        pca_power: Of --pca: 0 (only rotate) to 0.5 (full whitening).
    """

    whitening: str | None = None
    pca: int | None = None
    pca_images: str | None = None
    pca_power: float = 0.25

    def __post_init__(self):
        if self.whitening and self.pca:
            raise UserError("--whitening or --pca", "both", "Choose one.")
        if (self.pca is None) != (self.pca_images is None):
            raise UserError("--pca together with --pca_images", "one of them", "Give both, or neither.")

    def read_or_fit(self, write_plain: Callable[[Path], Path], facts: Mapping[str, object]) -> WhiteningMap | None:
        """Returns the whitening; None where none is asked for.

        Args:
            write_plain: Writes the SavedModel without whitening below a folder `<name>` and returns its version folder.
            facts: What it says of itself.

        Raises:
            UserError: No such whitening, one of other weights or settings, or photographs that do not do for a PCA.
        """
        if self.whitening:
            whitening = load_whitening(self.whitening)
            _check_origin(whitening, facts)
        elif self.pca is not None:
            pictures = [Picture(entry.id, Path(entry.path)) for entry in read_folder([self.pca_images])]
            with tempfile.TemporaryDirectory() as folder:
                plain = write_plain(Path(folder) / "plain")
                whitening = fit_on_photographs(plain, pictures, self.pca, self.pca_power, Path(folder) / "embeddings")
        else:
            return None
        return WhiteningMap(whitening.mean, whitening.projection, whitening.description, whitening.provenance["fitted_on"])


def _check_origin(whitening: Whitening, facts: Mapping[str, object]) -> None:
    origin = whitening.provenance.get("embeddings", {}).get("model", {})
    for key in _CHECKED:
        if key not in origin:
            logging.warning("The whitening does not say which %s its model had.", key)
        elif origin[key] != facts[key]:
            raise UserError(f"a whitening learnt on embeddings with {key} {facts[key]}", f"{origin[key]}",
                            "Fit it on embeddings of this model at these settings, or use --pca.")
