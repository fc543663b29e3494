"""Feature maps of a benchmark's images, computed once for all blocks of a study."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json, write_csv, write_json, write_npy
from landmark_zoo.core.parallel import progress, read_ahead
from landmark_zoo.core.provenance import versions
from landmark_zoo.data.datasets.image_refs import ImageRef, images_checksum, model_input
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.image_ops import decode_image, resize_long_side
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.file_states import ABSENT, FileState


class ImageFeatures(NamedTuple):
    """Feature maps of images of many sizes.

    Attributes:
        ids: Ids of the images that could be read.
        sizes: int64 [N, 2], height and width of each map.
        features: float16 [sum of height x width, C], map after map, row by row.
        facts: Weights, side and images, for the provenance of embeddings.
    """

    ids: list[str]
    sizes: np.ndarray
    features: np.ndarray
    facts: dict[str, object]


def image_features(to_features: tf.keras.Model, weights: str, images: Sequence[ImageRef], side: int,
                   folder: Path) -> ImageFeatures:
    """Computes the maps of all images and writes them to `folder`, or reads them where no image is newer than they are.

    Images are read, turned, decoded and resized as `retrieval.embed` and an exported model do.

    Args:
        to_features: Images [B, H, W, 3] to feature maps [B, h, w, C].
        weights: Fingerprint of its weights.
        images: Images to read; a bad one is left out and named in the log.
        side: Longer side to which an image is brought, pixels.
        folder: Gets `features.npy`, `pictures.csv` and, last, `features.json`.

    Raises:
        UserError: The folder holds maps of other images, weights or size; no image can be read.
    """
    facts = {"weights": weights, "side": side, "photographs_sha256": images_checksum(images)}
    made = FileState.of(folder / "features.json")
    if made != ABSENT and any(FileState.of(image.path).mtime_ns > made.mtime_ns for image in images):
        logging.warning("Images were changed since the maps in %s were made: they are made again", folder)
        (folder / "features.json").unlink()
    if not (folder / "features.json").exists():
        _write(folder, to_features, images, side, facts)
    found = read_json(folder / "features.json", dict)
    if any(found.get(key) != value for key, value in facts.items()):
        raise UserError(f"feature maps of these pictures by this backbone in {folder}", "others",
                        "Choose another output folder, or remove that one.")
    rows = list(read_csv(folder / "pictures.csv", ["id", "height", "width"]))
    sizes = np.array([(int(row["height"]), int(row["width"])) for row in rows])
    return ImageFeatures([row["id"] for row in rows], sizes, np.load(folder / "features.npy", allow_pickle=False), found)


def _write(folder: Path, to_features: tf.keras.Model, images: Sequence[ImageRef], side: int, facts: dict) -> None:
    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def compute(encoded):
        return to_features(resize_long_side(decode_image(encoded), side)[tf.newaxis], training=False)[0]

    def read(image: ImageRef) -> tuple[str, bytes | None]:
        try:
            return image.id, model_input(image)
        except InvalidImageError as error:
            logging.warning("%s is left out: %s", image.path, error.reason)
            return image.id, None

    rows, maps = [], []
    for name, encoded in progress(read_ahead(read, images, 32), f"feature maps of {folder.name}", total=len(images)):
        if encoded is not None:
            features = compute(encoded).numpy().astype(np.float16)
            rows.append((name, *features.shape[:2]))
            maps.append(features.reshape(-1, features.shape[-1]))
    if not rows:
        raise UserError("at least one usable photograph", f"{len(images)} bad ones", "Check --photos.")
    write_npy(folder / "features.npy", np.concatenate(maps))
    write_csv(folder / "pictures.csv", ["id", "height", "width"], rows)
    write_json(folder / "features.json", {**facts, "photographs": len(images), "skipped": len(images) - len(rows)})


BATCH = 64


def embed_features(from_features: tf.keras.Model, images: ImageFeatures, fingerprint: str,
                   info: dict[str, object]) -> EmbeddingSet:
    """Returns the embeddings that the whole model would give, up to the rounding of the maps to float16.

    Args:
        from_features: Feature maps [B, h, w, C] to a dict with "embedding" [B, D].
        images: N feature maps; those of one size go through together.
        fingerprint: Fingerprint of the whole model's weights.
        info: Constants of the model, as an exported one has them.
    """
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, images.features.shape[-1]])])
    def call(maps):
        return from_features(maps, training=False)["embedding"]

    ends = np.cumsum(images.sizes.prod(axis=1))
    vectors = np.zeros((len(images.ids), from_features.output_shape["embedding"][-1]), np.float32)
    for height, width in np.unique(images.sizes, axis=0):
        rows = np.flatnonzero((images.sizes == (height, width)).all(axis=1))
        for part in np.array_split(rows, -(-len(rows) // BATCH)):
            maps = [images.features[ends[row] - height * width:ends[row]].reshape(height, width, -1) for row in part]
            vectors[part] = call(tf.constant(np.stack(maps), tf.float32)).numpy()
    provenance = {"photographs_sha256": images.facts["photographs_sha256"], "apply_exif": True, "cropped": 0,
                  "photographs": images.facts["photographs"], "skipped": images.facts["skipped"], "model": info,
                  "versions": versions()}
    return EmbeddingSet(images.ids, vectors, fingerprint, provenance)
