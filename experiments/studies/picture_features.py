"""Feature maps of a benchmark's pictures, so that many models behind one frozen backbone are evaluated in seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json, write_csv, write_json, write_npy
from landmark_zoo.core.progress import progress
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.retrieval.model_input import model_input
from landmark_zoo.retrieval.photographs_checksum import photographs_checksum
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.read_ahead import read_ahead


class PictureFeatures(NamedTuple):
    """Feature maps of pictures of many sizes.

    Attributes:
        ids: Of the pictures that could be read.
        sizes: int64 [N, 2], height and width of each map.
        features: float16 [sum of height x width, C], map after map, row by row.
        facts: What they were made of, for the provenance of embeddings.
    """

    ids: list[str]
    sizes: np.ndarray
    features: np.ndarray
    facts: dict[str, object]


def picture_features(to_features: tf.keras.Model, weights: str, pictures: Sequence[Picture], side: int,
                     folder: Path) -> PictureFeatures:
    """Computes the maps of all pictures and writes them to `folder`, or reads them when they are there already.

    Pictures are read, turned, decoded and resized as `retrieval.embed` and an exported model do.

    Args:
        to_features: Images [B, H, W, 3] to feature maps [B, h, w, C].
        weights: Its fingerprint.
        pictures: What to compute; a bad one is left out and named in the log.
        side: Longer side to which a picture is brought, pixels.
        folder: Gets `features.npy`, `pictures.csv` and, last, `features.json`.

    Raises:
        UserError: The folder holds maps of other pictures, weights or size; no picture can be read.
    """
    facts = {"weights": weights, "side": side, "photographs_sha256": photographs_checksum(pictures)}
    if not (folder / "features.json").exists():
        _write(folder, to_features, pictures, side, facts)
    found = read_json(folder / "features.json")
    if any(found.get(key) != value for key, value in facts.items()):
        raise UserError(f"feature maps of these pictures by this backbone in {folder}", "others",
                        "Choose another output folder, or remove that one.")
    rows = list(read_csv(folder / "pictures.csv", ["id", "height", "width"]))
    sizes = np.array([(int(row["height"]), int(row["width"])) for row in rows])
    return PictureFeatures([row["id"] for row in rows], sizes, np.load(folder / "features.npy", allow_pickle=False), found)


def _write(folder: Path, to_features: tf.keras.Model, pictures: Sequence[Picture], side: int, facts: dict) -> None:
    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def compute(encoded):
        return to_features(resize_long_side(decode_image(encoded), side)[tf.newaxis], training=False)[0]

    def read(picture: Picture) -> tuple[str, bytes | None]:
        try:
            return picture.id, model_input(picture)
        except BadPhotograph as error:
            logging.warning("%s is left out: %s", picture.path, error.reason)
            return picture.id, None

    rows, maps = [], []
    for name, encoded in progress(read_ahead(read, pictures, 32), f"feature maps of {folder.name}", total=len(pictures)):
        if encoded is not None:
            features = compute(encoded).numpy().astype(np.float16)
            rows.append((name, *features.shape[:2]))
            maps.append(features.reshape(-1, features.shape[-1]))
    if not rows:
        raise UserError("at least one usable photograph", f"{len(pictures)} bad ones", "Check --photos.")
    write_npy(folder / "features.npy", np.concatenate(maps))
    write_csv(folder / "pictures.csv", ["id", "height", "width"], rows)
    write_json(folder / "features.json", {**facts, "photographs": len(pictures), "skipped": len(pictures) - len(rows)})
