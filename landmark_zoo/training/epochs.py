"""The batches of each epoch, as a recipe wants them."""

import functools
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.progress import progress
from landmark_zoo.data.augmentations import AUGMENTATIONS
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.pipeline import steps_per_epoch, train_dataset
from landmark_zoo.data.planned import planned_dataset
from landmark_zoo.data.plans.aspect_groups import aspect_plan
from landmark_zoo.data.plans.balanced import balanced_plan
from landmark_zoo.data.plans.classes_by_images import pxk_plan
from landmark_zoo.data.plans.tuples import tuple_plan
from landmark_zoo.data.record_index import read_record_index
from landmark_zoo.data.selected import selected_dataset
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.local_result import local_result
from landmark_zoo.training.mining import TupleMiner
from landmark_zoo.training.numbered_pairs import numbered_pairs
from landmark_zoo.training.place import Place
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.sum_over_workers import sum_over_workers

ASPECT_SIDE = 448  # of the square group


class Epochs:
    """What the trainer asks for batches: `epochs(epoch, batches to skip)`.

    Every order and view is drawn from (seed, epoch), mined tuples are kept in `workdir/tuples`: a resumed epoch goes on as
    it would have. Several workers share each batch, so that together they see what one alone would; the chief mines for all,
    with BatchNorm statistics of its own.

    Args:
        manifest: The training records.
        config: Batch and image size, seed.
        sampling: Order and views.
        model: What is trained, which mines its own tuples.
        workdir: The run's folder.

    Attributes:
        steps_per_epoch: Batches of every epoch.

    Raises:
        UserError: The records do not fill a batch.
    """

    def __init__(self, manifest: Manifest, config: TrainingConfig, sampling: SamplingConfig, model: tf.keras.Model,
                 workdir: str | Path):
        self._manifest, self._config, self._sampling, self._place = manifest, config, sampling, Place.here()
        self._index = None if sampling.sampler == "shuffled" else read_record_index(manifest)
        self._embed = tf.function(lambda images: model(images, training=False)["embedding"], reduce_retracing=True)
        if sampling.sampler == "mined_tuples":
            self._miner = TupleMiner(self._index.label, query_size=sampling.query_size,
                                     pool_size=sampling.pool_size, negatives=sampling.negatives, seed=config.seed,
                                     workdir=workdir,
                                     pairs=numbered_pairs(manifest, sampling.pairs) if sampling.pairs else None)
        steps = self._steps()
        self.steps_per_epoch = min(steps, sampling.steps_per_epoch or steps)

    def __call__(self, epoch: int, skip: int) -> tf.data.Dataset:
        """Returns the batches of an epoch but for the first `skip`: images [B, H, W, 3], labels int32 [B].

        Under a strategy of several replicas, this worker's rows of them in portions for its devices, one after another.
        """
        config, side = self._config, self._config.size_at(epoch)
        options = {"seed": config.seed, "epoch": epoch, "skip_batches": skip,
                   "augmentation": AUGMENTATIONS[self._sampling.augmentation], "share": self._place.share}
        if self._index is None:
            batches = train_dataset(self._manifest, image_size=side, batch_size=config.batch_size, **options)
            return batches.take((self.steps_per_epoch - skip) * self._place.share.portions)
        plan, size = self._plan(epoch, side, resumed=skip > 0)
        plan = plan[:self.steps_per_epoch]
        size = size if isinstance(size, int) else size[:len(plan)]
        return planned_dataset(self._manifest, self._index, plan, image_size=size, **options)

    def _plan(self, epoch: int, side: int, resumed: bool) -> tuple[np.ndarray, int | np.ndarray]:
        sampling, index, batch, seed = self._sampling, self._index, self._config.batch_size, self._config.seed
        if sampling.sampler == "aspect_groups":
            return aspect_plan(index.height, index.width, batch, seed, epoch, scale=side / ASPECT_SIDE)
        if sampling.sampler == "balanced":
            return balanced_plan(index.label, batch, seed, epoch, sampling.balance_exponent), side
        if sampling.sampler == "classes_by_images":
            return pxk_plan(index.label, batch // sampling.unit, sampling.unit, seed, epoch), side
        return tuple_plan(self._tuples(epoch, side, resumed), batch // sampling.unit, seed, epoch), side

    def _tuples(self, epoch: int, side: int, resumed: bool) -> np.ndarray:
        mined = None
        if self._place.is_chief:
            mined = self._miner.tuples(epoch, None if resumed else functools.partial(self._embeddings, side=side))
        sum_over_workers(0)
        return self._miner.tuples(epoch, None) if mined is None else mined

    def _steps(self) -> int:
        batch, sampling = self._config.batch_size, self._sampling
        if sampling.sampler == "shuffled":
            return steps_per_epoch(self._manifest, batch)
        if sampling.sampler != "mined_tuples":
            return len(self._plan(0, self._config.image_size, resumed=False)[0])
        tuples = batch // sampling.unit
        if self._miner.query_size < tuples:
            raise UserError(f"at least {tuples} tuples, one batch",
                            f"{self._miner.query_size}, for --query_size or the records allow no more",
                            "Lower --batch_size, or raise --query_size.")
        return self._miner.query_size // tuples

    def _embeddings(self, records: np.ndarray, side: int) -> np.ndarray:
        batches = selected_dataset(self._manifest, self._index, records, image_size=side, batch_size=self._config.batch_size)
        steps = progress(batches, "embedding for mining", total=-(-len(records) // self._config.batch_size), unit="step")
        return np.concatenate([local_result(self._embed, images).numpy() for images, _ in steps])
