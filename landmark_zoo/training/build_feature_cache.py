"""Photographs through a frozen backbone, once per view."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json, write_npy
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.progress import progress
from landmark_zoo.data.augment import augment
from landmark_zoo.data.augmentations import AUGMENTATIONS
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.resize import resize_square
from landmark_zoo.data.schema import parse_example
from landmark_zoo.models.weights_fingerprint import weights_fingerprint
from landmark_zoo.training.feature_cache import FeatureCache, Views, shard_path

_VERSION = 1


def build_feature_cache(to_features: tf.keras.Model, backbone: str, manifest: Manifest, directory: str | Path, views: Views,
                        batch_size: int = 32) -> FeatureCache:
    """Computes the feature maps of all photographs, or what an interrupted run left to do; a finished cache is only read.

    Args:
        to_features: Images [B, S, S, 3] to feature maps [B, h, w, C]: the first part of `models.on_features`.
        backbone: Its name.
        manifest: The records.
        directory: Folder of the cache.
        views: What is computed.
        batch_size: Photographs per call of the backbone.

    Returns:
        The cache; V N h w C numbers of two bytes on disk.

    Raises:
        UserError: The folder holds maps of another backbone, weights, records or views, or is in use; a map with values
            beyond float16.
    """
    directory = Path(directory)
    weights = weights_fingerprint(to_features)
    facts = {"version": _VERSION, "backbone": backbone, "weights": weights, "records": manifest.plan,
             "photographs": manifest.num_examples, **asdict(views)}
    with lock_directory(directory):
        _claim(directory, facts)
        if not (directory / "labels.npy").exists():
            write_npy(directory / "labels.npy", _fill(to_features, manifest, directory, views, batch_size))
    labels = np.load(directory / "labels.npy", allow_pickle=False)
    return FeatureCache(directory, manifest, views, weights, labels)


def _claim(directory: Path, facts: dict) -> None:
    path = directory / "features.json"
    if not path.exists():
        write_json(path, facts)
        return
    found = read_json(path)
    unlike = [f"{key} {found.get(key)}" for key in facts if facts[key] != found.get(key)]
    if unlike:
        wanted = ", ".join(f"{key} {facts[key]}" for key in facts if facts[key] != found.get(key))
        raise UserError(f"feature maps of {wanted} in {directory}", ", ".join(unlike),
                        "Use the settings of that cache, or another folder.")


def _fill(to_features: tf.keras.Model, manifest: Manifest, directory: Path, views: Views, batch_size: int) -> np.ndarray:
    call = tf.function(lambda images: to_features(images, training=False), reduce_retracing=True)
    shards = range(-(-manifest.num_examples // views.shard_size))
    missing = [(view, shard) for view in range(views.count) for shard in shards
               if not shard_path(directory, view, shard).exists()]
    for view, shard in progress(missing, "feature maps", unit="shard"):
        images = _images(manifest, views, view, shard).batch(batch_size).prefetch(2)
        with np.errstate(over="ignore"):
            maps = np.concatenate([call(batch).numpy().astype(np.float16) for batch in images])
        if not np.isfinite(maps).all():
            raise UserError("feature maps within the range of float16 (65,504)", "larger values or NaN",
                            "Train the whole model instead of caching its features.")
        write_npy(shard_path(directory, view, shard), maps)
    return np.fromiter(_labels(manifest), np.int32, manifest.num_examples)


def _images(manifest: Manifest, views: Views, view: int, shard: int) -> tf.data.Dataset:
    seed = np.random.SeedSequence([views.seed, view]).generate_state(2).view(np.int32)

    def make(number: tf.Tensor, serialized: tf.Tensor) -> tf.Tensor:
        encoded = parse_example(serialized).encoded
        if view == 0:
            return resize_square(decode_image(encoded), views.image_size)
        return augment(encoded, views.image_size, tf.random.fold_in(seed, number), AUGMENTATIONS[views.augmentation])

    records = tf.data.TFRecordDataset(manifest.files).enumerate()
    records = records.skip(shard * views.shard_size).take(views.shard_size)
    return records.map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _labels(manifest: Manifest) -> Iterator[int]:
    for label in tf.data.TFRecordDataset(manifest.files).map(lambda record: parse_example(record).label):
        if not 0 <= int(label) < manifest.num_classes:
            raise UserError(f"labels from 0 to {manifest.num_classes - 1} in {manifest.directory}", str(int(label)),
                            "Prepare the records again.")
        yield int(label)
