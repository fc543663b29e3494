"""Training on cached feature maps: the backbone is frozen, so that its outputs are computed once.

`build_feature_cache` writes V feature maps of each image, `train_on_features` trains everything behind the backbone on them
and leaves a run that is read like any other.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import lock_directory, read_json, read_npy, write_json, write_npy
from landmark_zoo.core.parallel import progress
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.data.augmentation import AUGMENTATIONS, augment
from landmark_zoo.data.examples import parse_example
from landmark_zoo.data.image_ops import decode_image, resize_square
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.record_index import open_records
from landmark_zoo.models.inspection import on_features, weights_fingerprint
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.batch_losses import Classification
from landmark_zoo.training.checkpoints import has_checkpoint
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.history import create_or_check_run, with_dimension_of
from landmark_zoo.training.initialization import build_for_pca, init_pca
from landmark_zoo.training.optimizer import Group
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.trainer import Trainer


@dataclass(frozen=True)
class Views:
    """Views of each image whose feature maps are cached.

    Attributes:
        image_size: Side of the square views, pixels.
        count: Number V of views per image; view 0 is the evaluation view (the whole image, squashed), the others are random.
        seed: Seed of the random views.
        augmentation: Ranges of the random views; a name of `AUGMENTATIONS`.
        shard_size: Images per file.
    """

    image_size: int = 224
    count: int = 4
    seed: int = 0
    augmentation: str = "default"
    shard_size: int = 512

    def __post_init__(self):
        if self.count < 1 or self.shard_size < 1:
            raise ValueError(f"Views: expected count and shard_size of 1 or more; received {self.count} and "
                             f"{self.shard_size}.")
        if self.augmentation not in AUGMENTATIONS:
            raise UserError(f"views among {', '.join(AUGMENTATIONS)}", repr(self.augmentation), "Choose one of them.")


@dataclass(frozen=True)
class FeatureCache:
    """Cache of V feature maps of each of N images, made by `build_feature_cache`.

    On disk: `features.json` (settings and fingerprints), `view_<v>/<shard>.npy` (float16 [n, h, w, C], read as memory maps)
    and `labels.npy` (int32 [N], written last). Image i is record i of the manifest's files.

    Attributes:
        directory: Folder of the cache.
        manifest: Manifest of the records.
        views: Views whose feature maps are cached.
        weights: `weights_fingerprint` of the frozen part of the model.
        labels: int32 [N], label of each image.
    """

    directory: Path
    manifest: Manifest
    views: Views
    weights: str
    labels: np.ndarray

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Shape (h, w, C) of a feature map."""
        return self._shards[0][0].shape[1:]

    def steps_per_epoch(self, batch_size: int) -> int:
        """Returns the number of batches of an epoch; fewer images than one batch are a `UserError`."""
        if len(self.labels) < batch_size:
            raise UserError(f"at least one batch of {batch_size:,} images in {self.directory}",
                            f"{len(self.labels):,}", "Use a smaller batch size or more images.")
        return len(self.labels) // batch_size

    def epoch(self, batch_size: int, seed: int, epoch: int, skip_batches: int = 0) -> tf.data.Dataset:
        """Returns the rest of one epoch: each image once, in random order, in one of its views at random.

        Order and views depend on (seed, epoch) alone, so that a resumed epoch continues as it would have.

        Args:
            batch_size: Images per batch, B.
            seed: Seed of the run.
            epoch: Epoch, from 0.
            skip_batches: Number of batches to leave out at the beginning.

        Returns:
            Dataset of feature maps float32 [B, h, w, C] and labels int32 [B].
        """
        steps = self.steps_per_epoch(batch_size)
        generator = np.random.default_rng([seed, epoch])
        indices = generator.permutation(len(self.labels))
        views = generator.integers(self.views.count, size=len(indices))
        starts = range(skip_batches * batch_size, steps * batch_size, batch_size)
        return self._batches([(indices[start:start + batch_size], views[start:start + batch_size]) for start in starts])

    def planned(self, plan: np.ndarray, seed: int, epoch: int, skip_batches: int = 0) -> tf.data.Dataset:
        """Returns the rest of an epoch whose images a sampler has planned, each in one of its views at random.

        Args:
            plan: int [steps, B], number of each image of each batch; the views depend on (seed, epoch, place in it) alone.
            seed: Seed of the run.
            epoch: Epoch, from 0.
            skip_batches: Number of batches to leave out at the beginning.

        Returns:
            Dataset of feature maps float32 [B, h, w, C] and labels int32 [B].
        """
        views = np.random.default_rng([seed, epoch, 1]).integers(self.views.count, size=plan.shape)
        return self._batches(list(zip(plan, views, strict=True))[skip_batches:])

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns view 0 of all images in order; the last batch may be smaller."""
        indices = np.arange(len(self.labels))
        batches = [indices[start:start + batch_size] for start in range(0, len(indices), batch_size)]
        return self._batches([(batch, np.zeros_like(batch)) for batch in batches])

    def _batches(self, images_and_views: list[tuple[np.ndarray, np.ndarray]]) -> tf.data.Dataset:
        def batches():
            for indices, views in images_and_views:
                yield self._read_maps(indices, views), self.labels[indices]

        signature = (tf.TensorSpec([None, *self.shape], tf.float32), tf.TensorSpec([None], tf.int32))
        return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)

    def _read_maps(self, indices: np.ndarray, views: np.ndarray) -> np.ndarray:
        maps = np.empty((len(indices), *self.shape), np.float32)
        for row, (index, view) in enumerate(zip(indices, views, strict=True)):
            shard, position = divmod(int(index), self.views.shard_size)
            maps[row] = self._shards[view][shard][position]
        return maps

    @cached_property
    def _shards(self) -> list[list[np.ndarray]]:
        return [[read_npy(shard_path(self.directory, view, shard), mmap=True)
                 for shard in range(-(-len(self.labels) // self.views.shard_size))] for view in range(self.views.count)]


def shard_path(directory: Path, view: int, shard: int) -> Path:
    """Returns the path of the file with one view of the feature maps of `shard_size` images."""
    return directory / f"view_{view}" / f"{shard:05d}.npy"


CACHE_VERSION = 1


def build_feature_cache(to_features: tf.keras.Model, backbone: str, manifest: Manifest, directory: str | Path, views: Views,
                        batch_size: int = 32) -> FeatureCache:
    """Computes and caches the feature maps of all images; an interrupted cache is completed, a finished one only read.

    Args:
        to_features: Model from images [B, S, S, 3] to feature maps [B, h, w, C]: the first part of `models.on_features`.
        backbone: Name of the backbone.
        manifest: Manifest of the records.
        directory: Folder of the cache.
        views: Views to compute.
        batch_size: Images per call of the backbone.

    Returns:
        The cache; V N h w C numbers of two bytes on disk.

    Raises:
        UserError: The folder holds maps of another backbone, weights, records or views, or is in use; a map with values
            beyond float16.
    """
    directory = Path(directory)
    weights = weights_fingerprint(to_features)
    facts = {"version": CACHE_VERSION, "backbone": backbone, "weights": weights, "records": manifest.plan,
             "photographs": manifest.num_examples, **asdict(views)}
    with lock_directory(directory):
        _create_or_check(directory, facts)
        if not (directory / "labels.npy").exists():
            _write_missing_shards(to_features, manifest, directory, views, batch_size)
            write_npy(directory / "labels.npy", np.fromiter(_read_labels(manifest), np.int32, manifest.num_examples))
    labels = read_npy(directory / "labels.npy")
    return FeatureCache(directory, manifest, views, weights, labels)


def _create_or_check(directory: Path, facts: dict) -> None:
    """Writes `features.json`, or raises a `UserError` where the one in the folder has other facts."""
    path = directory / "features.json"
    if not path.exists():
        write_json(path, facts)
        return
    found = read_json(path, dict)
    differing = [key for key in facts if facts[key] != found.get(key)]
    if differing:
        expected, received = (", ".join(f"{key} {each.get(key)}" for key in differing) for each in (facts, found))
        raise UserError(f"feature maps of {expected} in {directory}", received,
                        "Use the settings of that cache, or another folder.")


def _write_missing_shards(to_features: tf.keras.Model, manifest: Manifest, directory: Path, views: Views,
                          batch_size: int) -> None:
    call = tf.function(lambda images: to_features(images, training=False), reduce_retracing=True)
    shards = range(-(-manifest.num_examples // views.shard_size))
    missing = [(view, shard) for view in range(views.count) for shard in shards
               if not shard_path(directory, view, shard).exists()]
    for view, shard in progress(missing, "feature maps", unit="shard"):
        images = _read_views(manifest, views, view, shard).batch(batch_size).prefetch(2)
        with np.errstate(over="ignore"):
            maps = np.concatenate([call(batch).numpy().astype(np.float16) for batch in images])
        if not np.isfinite(maps).all():
            raise UserError("feature maps within the range of float16 (65,504)", "larger values or NaN",
                            "Train the whole model instead of caching its features.")
        write_npy(shard_path(directory, view, shard), maps)


def _read_views(manifest: Manifest, views: Views, view: int, shard: int) -> tf.data.Dataset:
    """Returns one view [S, S, 3] of each image of a shard."""
    seed = np.random.SeedSequence([views.seed, view]).generate_state(2).view(np.int32)

    @tf.autograph.experimental.do_not_convert
    def read_view(index: tf.Tensor, serialized: tf.Tensor) -> tf.Tensor:
        encoded = parse_example(serialized).encoded
        if view == 0:
            return resize_square(decode_image(encoded), views.image_size)
        return augment(encoded, views.image_size, tf.random.fold_in(seed, index), AUGMENTATIONS[views.augmentation])

    records = open_records(manifest.files).enumerate()
    records = records.skip(shard * views.shard_size).take(views.shard_size)
    return records.map(read_view, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _read_labels(manifest: Manifest) -> Iterator[int]:
    for label in open_records(manifest.files).map(lambda record: parse_example(record).label):
        if not 0 <= int(label) < manifest.num_classes:
            raise UserError(f"labels from 0 to {manifest.num_classes - 1} in {manifest.directory}", str(int(label)),
                            "Prepare the records again.")
        yield int(label)


def train_on_features(model_config: ModelConfig, config: TrainingConfig, cache: FeatureCache, workdir: str | Path,
                      weights: str | None, sampling: SamplingConfig = SamplingConfig()) -> tf.keras.Model:  # noqa: B008 (frozen)
    """Trains attention, pooling, embedding and head on cached feature maps, initialized with a PCA and the class means.

    The checkpoints are those of the whole model, so that the folder can be exported like that of `run_training`. Started
    again, it continues from the last checkpoint.

    Args:
        model_config: Settings of the model, with attention behind the backbone.
        config: Settings of training; `backbone_multiplier` must be 0.
        cache: Feature maps of the backbone with these weights.
        workdir: Folder of the run; see `run_training`.
        weights: Weights of the backbone; see `backbones.load_weights`.
        sampling: Settings of the batches: sampler "shuffled" and the augmentation of the cache.

    Returns:
        The whole trained model.

    Raises:
        UserError: The cache is of another backbone, weights or size, or a setting needs the images at every step.
    """
    check_trainable_on_features(config, sampling, cache)
    workdir = Path(workdir)
    with lock_directory(workdir):
        tf.keras.utils.set_random_seed(config.seed)
        if has_checkpoint(workdir):
            model_config = with_dimension_of(workdir, model_config)
            model = model_config.build(cache.manifest.num_classes, weights)
        else:
            model_config, model = build_for_pca(model_config, cache.manifest.num_classes, weights, len(cache.labels))
        to_features, from_features = on_features(model)
        if weights_fingerprint(to_features) != cache.weights:
            raise UserError(f"the backbone whose feature maps {cache.directory} holds", f"that of {model_config.model} with "
                            "other weights", "Use the weights of the cache, or make another cache.")
        create_or_check_run(workdir, model_config, cache.manifest.label_map,
                            {"parameters": model.count_params(), "photographs": len(cache.labels),
                             "source": cache.manifest.source, "records_sha256": cache.manifest.fingerprint},
                            config, sampling)
        write_json(workdir / "flags.json", resolved_flags())
        head = model.get_layer(model_config.head)
        objective = Classification(from_features, head)
        groups = [Group("head", from_features.trainable_variables, config.head_multiplier)]
        trainer = Trainer(model, objective, groups, config, workdir, cache.steps_per_epoch(config.batch_size),
                          lambda: init_pca(from_features, head, cache.evaluation_batches(config.batch_size),
                                           seed=config.seed))
        trainer.fit(lambda epoch, skip: cache.epoch(config.batch_size, config.seed, epoch, skip))
    logging.info("Trained %s behind its backbone for %d steps: %s", model_config.model, int(trainer.step), workdir)
    return model


def check_trainable_on_features(config: TrainingConfig, sampling: SamplingConfig, cache: FeatureCache) -> None:
    """Raises a `UserError` where a setting needs the images at every step, or other views than the cache has."""
    views = cache.views
    for expected, received in (
            ({"backbone_multiplier": 0.0}, config), ({"image_size": views.image_size, "image_sizes": ""}, config),
            ({"precision": "float32"}, config), ({"sampler": "shuffled", "augmentation": views.augmentation}, sampling)):
        for flag, value in expected.items():
            if getattr(received, flag) != value:
                raise UserError(f"--{flag}={value} with cached feature maps, whose backbone is frozen and whose "
                                f"{views.count} views of each image are fixed ({views.augmentation}, "
                                f"{views.image_size} pixels)",
                                f"--{flag}={getattr(received, flag)}", "Train end to end, or make another cache.")
