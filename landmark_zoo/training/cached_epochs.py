"""Epochs on cached features: while the backbone stands still, its feature maps are computed once and read again.

`CachedEpochs` stands between a run and its batches (`epoch_data.EpochData`): its batches are feature maps in the epochs in
which the backbone does not learn, and images after them, and its objective takes either.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.samplers import balanced_sampler, pk_sampler
from landmark_zoo.models.inspection import on_features, to_features
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.epoch_data import EpochData
from landmark_zoo.training.frozen_backbone import FeatureCache, Views, build_feature_cache
from landmark_zoo.training.objectives import Objective
from landmark_zoo.training.sampling import SamplingConfig

FOLDER = "features"
SAMPLERS = ("shuffled", "balanced", "classes_by_images")
BYTES_PER_VALUE = 2  # float16


class CachedEpochs:
    """Training batches of every epoch, of cached feature maps in the first ones; called like `EpochData`.

    The maps are those of the backbone in inference mode (BatchNorm frozen, no dropout), rounded to float16, of V views of
    each image: the evaluation view and V - 1 random ones. In an epoch each image comes in one of them at random. Order and
    views depend on (seed, epoch) alone, and `workdir/features` is checked and completed when a run goes on, so that a run
    that was killed ends where it would have. The folder is removed as soon as no epoch needs it any more.

    Args:
        images: Batches of images of every epoch.
        model: Model that is trained.
        build_objective: Function of a model (the whole one, or its part behind the backbone); returns its objective.
        manifest: Manifest of the training records.
        config: Gives `cached_views`, its bound, and in which epochs the backbone stands still.
        sampling: Sampler and augmentation.
        workdir: Folder of the run.

    Attributes:
        steps_per_epoch: Number of batches of every epoch.
        num_epochs: Number of epochs on feature maps, from the first.
        num_bytes: Size of the cache.

    Raises:
        UserError: Several devices, a backbone that does not stand still or of which more than the last map is used, other
            samplers, crops that grow in these epochs, or a cache above `cache_gigabytes` or the free disk space.
    """

    def __init__(self, images: EpochData, model: tf.keras.Model, build_objective: Callable[[tf.keras.Model], Objective],
                 manifest: Manifest, config: TrainingConfig, sampling: SamplingConfig, workdir: str | Path):
        self._images, self._model, self._build_objective = images, model, build_objective
        self._manifest, self._config, self._sampling = manifest, config, sampling
        self._folder, self._cache, self._on_features = Path(workdir) / FOLDER, None, None
        self._on_images = build_objective(model)
        self.steps_per_epoch, self.num_epochs = images.steps_per_epoch, config.still_epochs
        self._check()
        side = config.size_at(0)
        self._map_shape = tuple(to_features(model)(tf.zeros([1, side, side, 3]), training=False).shape[1:])
        self.num_bytes = int(BYTES_PER_VALUE * config.cached_views * manifest.num_examples * np.prod(self._map_shape))
        self._check_size()

    def __call__(self, epoch: int, skip: int) -> tf.data.Dataset:
        """Returns the batches of an epoch without the first `skip`: feature maps or images, and labels int32 [B]."""
        if epoch >= self.num_epochs:
            self.remove()
            return self._images(epoch, skip)
        if self._cache is None:
            self._cache = self._build()
        plan = self._plan(self._cache.labels, epoch)[:self.steps_per_epoch]
        return self._cache.planned(plan, self._config.seed, epoch, skip)

    def objective(self, inputs: tf.Tensor, labels: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Objective of the whole model on images [B, H, W, 3], of the part behind the backbone on its maps [B, h, w, C]."""
        if inputs.shape[-1] == self._map_shape[-1] and self._on_features is not None:
            return self._on_features(inputs, labels, training)
        return self._on_images(inputs, labels, training)

    def remove(self) -> None:
        """Removes the cache."""
        self._cache = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _build(self) -> FeatureCache:
        config = self._config
        logging.info("Cached features: %d views of %d images, maps of %d x %d x %d, %.3f GB in %s. The backbone runs on %d "
                     "images for %d epochs, instead of %d.", config.cached_views, self._manifest.num_examples,
                     *self._map_shape, self.num_bytes / 1e9, self._folder, config.cached_views * self._manifest.num_examples,
                     self.num_epochs, self.num_epochs * self.steps_per_epoch * config.batch_size)
        first, behind = on_features(self._model)  # late: initialization looks for layers in the whole model
        self._on_features = self._build_objective(behind)
        views = Views(config.size_at(0), config.cached_views, config.seed, self._sampling.augmentation)
        return build_feature_cache(first, self._model.name, self._manifest, self._folder, views,
                                   config.batch_size // config.accumulate)

    def _plan(self, labels: np.ndarray, epoch: int) -> np.ndarray:
        """Returns the numbers of the images of each batch of an epoch, int [steps, B]."""
        batch, seed, sampling = self._config.batch_size, self._config.seed, self._sampling
        if sampling.sampler == "balanced":
            return balanced_sampler(labels, batch, seed, epoch, sampling.balance_exponent)
        if sampling.sampler == "classes_by_images":
            return pk_sampler(labels, batch // sampling.group_size, sampling.group_size, seed, epoch)
        order = np.random.default_rng([seed, epoch]).permutation(len(labels))
        return order[:len(labels) // batch * batch].reshape(-1, batch)

    def _check(self) -> None:
        config, sides = self._config, {self._config.size_at(epoch) for epoch in range(self.num_epochs)}
        devices = WorkerInfo.current().num_replicas
        if devices > 1:
            raise UserError("one device for --cached_views", str(devices), "Leave --cached_views out.")
        if not (config.freeze_batchnorm or config.freeze == "all"):
            raise UserError("--freeze_batchnorm with --cached_views, whose backbone must stand still",
                            "--nofreeze_batchnorm", "Change one of them.")
        if self._sampling.sampler not in SAMPLERS:
            raise UserError(f"--sampler among {', '.join(SAMPLERS)} with --cached_views", self._sampling.sampler,
                            "Leave --cached_views out.")
        if len(sides) > 1:
            raise UserError(f"crops of one size in the {self.num_epochs} epochs of --cached_views",
                            f"--image_sizes={config.image_sizes}", "Give fewer --image_sizes, or lower --head_epochs.")

    def _check_size(self) -> None:
        gigabytes, bound = self.num_bytes / 1e9, self._config.cache_gigabytes
        remedy = "Lower --cached_views or --image_size, or leave --cached_views out."
        if gigabytes > bound:
            raise UserError(f"--cache_gigabytes >= {gigabytes:.3g} for {self._config.cached_views} views of "
                            f"{self._manifest.num_examples:,} images", f"{bound:g}", f"Raise it. {remedy}")
        parent = next(path for path in (self._folder, *self._folder.absolute().parents) if path.exists())
        there = sum(path.stat().st_size for path in self._folder.rglob("*.npy")) if self._folder.exists() else 0
        free = shutil.disk_usage(parent).free
        if self.num_bytes - there > free:
            raise UserError(f"{(self.num_bytes - there) / 1e9:.3g} GB of disk space for cached features in {self._folder}",
                            f"{free / 1e9:.3g} GB free", remedy)
