"""Options shared by the export scripts: test protocol, whitening, model card, verified conversion, sample images."""

import dataclasses
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError, check_range
from landmark_zoo.core.files import claim_path
from landmark_zoo.data.datasets.images import InvalidImageError, read_image
from landmark_zoo.data.protocol import PUBLISHED, Protocol
from landmark_zoo.evaluation.results import scores_for_card
from landmark_zoo.retrieval.image_sequence import folder_images
from landmark_zoo.retrieval.whitening import Whitening, fit_on_images, load_whitening
from landmark_zoo.serving.converters import min_cosine_similarity
from landmark_zoo.serving.embedders import Whitened, WhiteningMap
from landmark_zoo.serving.export import write_saved_model
from landmark_zoo.serving.model_card import CardNotes
from landmark_zoo.serving.network import Embedder

_CHECKED = ("weights_sha256", "side", "scales", "aggregation", "resize")


@dataclasses.dataclass(frozen=True)
class ProtocolOptions:
    """Test protocol of an export: a published one or the project's own, with single rules in place of its.

    Attributes:
        protocol: Test protocol of a published checkpoint: cirtorch, cirtorch_sfm, solar, how, token, delg, cvnet,
            superglobal, dolg, delg_pytorch or naver; unset: that of a published --model, or the project's own. The flags
            below take the place of its rules.
        side: Pixels of the longer side to which images are brought; 352 without --protocol.
        resize_rule: Resize of images: bilinear (antialiased; the project's own), pil_bilinear or lanczos (as Pillow), none.
        enlarge: Enlarge images whose longer side is below --side, as the project's own protocol does.
        crop_rule: Size of a query's box: side (its longer side becomes --side; the project's own) or image (the scale of the
            whole image).
        box_rounding: Rounding of the corners of boxes: nearest (the project's own) or floor.
        scales: Multiples of --side at which every image is embedded, commas between them; 1 without --protocol.
        scale_l2: Bring each scale's embedding to length 1 before they are put together, as the project's own protocol does.
        scale_power: Power p of the generalised mean over the scales; 1 is the mean.
        scale_pooling: Aggregation of the scales: mean, which --scale_power generalises, or maximum.
        scale_resize: Resize to the scales: antialias (the project's own), linear (without antialiasing), or area.
        scale_rounding: Rounding of the scales' sizes: nearest (the project's own), even or floor.
        scale_ratio: Distance of the pixels of a scale: that of the sizes (the project's own), or 1 / factor.
        whitening_l2: Bring embeddings to length 1 before --whitening, as the project's own protocol does.
    """

    protocol: str | None = None
    side: int | None = None
    resize_rule: str | None = None
    enlarge: bool | None = None
    crop_rule: str | None = None
    box_rounding: str | None = None
    scales: str | None = None
    scale_l2: bool | None = None
    scale_power: float | None = None
    scale_pooling: str | None = None
    scale_resize: str | None = None
    scale_rounding: str | None = None
    scale_ratio: str | None = None
    whitening_l2: bool | None = None

    def __post_init__(self):
        if self.protocol is not None and self.protocol not in PUBLISHED:
            raise UserError(f"one of {', '.join(PUBLISHED)} for --protocol", self.protocol, "Check --protocol.")
        if self.scale_power is not None:
            check_range("scale_power", self.scale_power, maximum=100)
        self.chosen()

    def by_default(self, protocol: str | None) -> "ProtocolOptions":
        """Returns the options with a published protocol where none is chosen."""
        return self if self.protocol else dataclasses.replace(self, protocol=protocol)

    def chosen(self) -> Protocol:
        """Returns the protocol; a UserError names a rule that there is not, or one that contradicts another."""
        given = {name: value for name, value in vars(self).items() if value is not None and name != "protocol"}
        if "scales" in given:
            try:
                given["scales"] = [float(scale) for scale in self.scales.split(",")]
            except ValueError as error:
                raise UserError("numbers for --scales", str(error), "Write for example --scales=0.7071,1,1.4142.") from error
        return Protocol.from_constants({**PUBLISHED.get(self.protocol, Protocol()).constants, **given})


@dataclasses.dataclass(frozen=True)
class WhiteningOptions:
    """Whitening behind an embedder: read from a folder, fitted, or none (the default).

    Attributes:
        whitening: Folder of a whitening (PCA or learnt) of experiments.postprocess.
        pca: Dimensions of a PCA whitening to fit on --pca_images, instead of --whitening.
        pca_images: Folder of images for --pca; no queries, no index images.
        pca_power: With --pca: exponent, 0 (rotation only) to 0.5 (full whitening).
    """

    whitening: str | None = None
    pca: int | None = None
    pca_images: str | None = None
    pca_power: float = 0.25

    def __post_init__(self):
        check_range("pca_power", self.pca_power, 0, 0.5)
        if self.pca is not None:
            check_range("pca", self.pca, 1, 2**16)
        if self.whitening and self.pca:
            raise UserError("--whitening or --pca", "both", "Choose one.")
        if (self.pca is None) != (self.pca_images is None):
            raise UserError("--pca together with --pca_images", "one of them", "Give both, or neither.")

    def read_or_fit(self, write_plain: Callable[[Path], Path], facts: Mapping[str, object]) -> WhiteningMap | None:
        """Returns the whitening; None where none is asked for.

        Args:
            write_plain: Writes the SavedModel without whitening below a folder `<name>` and returns its version folder.
            facts: Constants of that SavedModel.

        Raises:
            UserError: No such whitening, one of other weights or settings, or images that do not do for a PCA.
        """
        if self.whitening:
            whitening = load_whitening(self.whitening)
            _check_origin(whitening, facts)
        elif self.pca is not None:
            images = list(folder_images(self.pca_images))
            with tempfile.TemporaryDirectory() as folder:
                plain = write_plain(Path(folder) / "plain")
                whitening = fit_on_images(plain, images, self.pca, self.pca_power, Path(folder) / "embeddings")
        else:
            return None
        return WhiteningMap(whitening.mean, whitening.projection, whitening.description, whitening.provenance["fitted_on"])


def _check_origin(whitening: Whitening, facts: Mapping[str, object]) -> None:
    origin = whitening.provenance.get("embeddings", {}).get("model", {})
    if origin and not facts.get("whitening_l2", True):
        raise UserError("a whitening learnt on vectors without L2, for --nowhitening_l2",
                        "one learnt on embeddings, which have length 1", "Leave --nowhitening_l2 out.")
    for key in _CHECKED:
        if key not in origin:
            logging.warning("The whitening does not say which %s its model had.", key)
        elif origin[key] != facts[key]:
            raise UserError(f"a whitening learnt on embeddings with {key} {facts[key]}", f"{origin[key]}",
                            "Fit it on embeddings of this model at these settings, or use --pca.")


@dataclasses.dataclass(frozen=True)
class CardOptions:
    """Scores and licence for the model card.

    Attributes:
        results: For the model card: folders of experiments.evaluate, of an earlier export of this model; commas between
            them.
        licence: For the model card: licence of the model.
    """

    results: str = ""
    licence: str = "not stated"

    def by_default(self, licence: str) -> "CardOptions":
        """Returns the options with a licence where none is given."""
        return dataclasses.replace(self, licence=licence) if self.licence == type(self).licence else self

    def notes(self, data: Mapping[str, Any], recipe: Mapping[str, Any], info: Mapping[str, Any]) -> CardNotes:
        """Returns the notes for a model card.

        Args:
            data: Facts of the training data.
            recipe: Settings of the training.
            info: Constants of the export, to which the results must fit.
        """
        folders = [folder for folder in self.results.split(",") if folder]
        return CardNotes(data, recipe, [scores_for_card(folder, info) for folder in folders], self.licence)


def write_export(embedder: Embedder, output: str | Path, info: Mapping[str, Any], whitening: WhiteningOptions,
                 card: CardOptions, data: Mapping[str, Any], recipe: Mapping[str, Any],
                 frozen: bool = False) -> Path:
    """Puts a whitening behind an embedder and writes the SavedModel with its card.

    Args:
        embedder: Without whitening.
        output: `<name>`.
        info: More facts for `info`.
        whitening: Options of the whitening.
        card: For the card.
        data: Facts of the training data, for the card.
        recipe: Settings of the training, for the card.
        frozen: Write the weights as constants instead of variables.

    Returns:
        The folder of the new version.
    """
    if not embedder.protocol.whitening_l2 and not whitening.whitening:
        raise UserError("--whitening, learnt on vectors without L2, with --nowhitening_l2",
                        "--pca, which is fitted on embeddings of length 1" if whitening.pca else "none",
                        "Leave --nowhitening_l2 out.")
    fitted = whitening.read_or_fit(lambda folder: write_saved_model(embedder, folder, info), embedder.facts)
    whole = embedder if fitted is None else Whitened(embedder, fitted)
    return write_saved_model(whole, output, info, card.notes(data, recipe, {**whole.facts, **info}), frozen)


def convert_verified(saved_model: Path, path: Path, write: Callable[[Path], None],
                     open_file: Callable[[Path], Callable[[np.ndarray], np.ndarray]], images: Sequence[np.ndarray],
                     least: float) -> float:
    """Converts to a temporary file, compares it with the SavedModel, renames it to `path`; returns the smallest cosine.

    Args:
        saved_model: `<name>/<version>`.
        path: The file to write.
        write: Converts to the path it is given.
        open_file: From a converted file to a function from images [1, H, W, 3] to embeddings [1, D].
        images: Images, float32 [1, H, W, 3] each.
        least: The smallest cosine that will do.

    Raises:
        UserError: The embeddings are not near enough, or another process is writing there; nothing is written.
    """
    with claim_path(path), tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp") as folder:
        temporary = Path(folder) / path.name
        write(temporary)
        cosine = min_cosine_similarity(saved_model, open_file(temporary), images, least)
        os.replace(temporary, path)
    return cosine


def sample_images(folder: str | Path, number: int) -> list[bytes]:
    """Returns encoded images, spread evenly over those below a folder; bad ones are named and left out.

    Args:
        folder: Folder of images.
        number: Largest number of images.

    Raises:
        UserError: No folder there, or none with pictures.
    """
    images = list(folder_images(folder))
    encoded = []
    for place in range(min(number, len(images))):
        path = images[place * len(images) // min(number, len(images))].path
        try:
            encoded.append(read_image(path).encoded)
        except InvalidImageError as error:
            logging.warning("%s is left out: %s", path, error.reason)
    return encoded
