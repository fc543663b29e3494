"""Training and validation datasets of every epoch, as the sampler and the objective want them."""

import functools
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.parallel import progress
from landmark_zoo.data.augmentation import AUGMENTATIONS
from landmark_zoo.data.input_pipeline import (
    evaluation_dataset,
    planned_dataset,
    selected_dataset,
    steps_per_epoch,
    train_dataset,
)
from landmark_zoo.data.manifest import Manifest, read_manifest
from landmark_zoo.data.record_index import read_record_index
from landmark_zoo.data.samplers import aspect_sampler, balanced_sampler, pk_sampler, tuple_sampler
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo, all_reduce_sum, run_on_local_replica
from landmark_zoo.training.objectives import OBJECTIVES
from landmark_zoo.training.sampling import SamplingConfig, TupleMiner, read_record_pairs

ASPECT_SIDE = 448  # side of square images for which `aspect_sampler` gives its sizes


class EpochData:
    """Training batches of every epoch: `epoch_data(epoch, skip)` is the dataset that the trainer iterates over.

    Every order and view is drawn from (seed, epoch), and mined tuples are kept in `workdir/tuples`, so that a resumed epoch
    continues as it would have. Several workers share each batch, and together see the same images as one worker alone; the
    chief mines for all, with BatchNorm statistics of its own.

    Args:
        manifest: Manifest of the training records.
        config: Gives batch size, image size and seed.
        sampling: Sampler and augmentation.
        model: Model that is trained, whose embeddings mine the tuples.
        workdir: Folder of the run.

    Attributes:
        steps_per_epoch: Number of batches of every epoch.

    Raises:
        UserError: The records do not fill a batch.
    """

    def __init__(self, manifest: Manifest, config: TrainingConfig, sampling: SamplingConfig, model: tf.keras.Model,
                 workdir: str | Path):
        self._manifest, self._config, self._sampling = manifest, config, sampling
        self._worker_info = WorkerInfo.current()
        self._index = None if sampling.sampler == "shuffled" else read_record_index(manifest)
        self._embed = tf.function(lambda images: model(images, training=False)["embedding"], reduce_retracing=True)
        if sampling.sampler == "mined_tuples":
            self._miner = TupleMiner(self._index.label, query_size=sampling.query_size,
                                     pool_size=sampling.pool_size, negatives=sampling.negatives, seed=config.seed,
                                     workdir=workdir,
                                     pairs=read_record_pairs(manifest, sampling.pairs) if sampling.pairs else None)
        steps = self._count_steps()
        self.steps_per_epoch = min(steps, sampling.steps_per_epoch or steps)

    def __call__(self, epoch: int, skip: int) -> tf.data.Dataset:
        """Returns the batches of an epoch without the first `skip`: images [B, H, W, 3], labels int32 [B].

        Under a strategy of several replicas these are this worker's per-replica batches, one after another.
        """
        config, side = self._config, self._config.size_at(epoch)
        shard = self._worker_info.input_shard
        options = {"seed": config.seed, "epoch": epoch, "skip_batches": skip,
                   "augmentation": AUGMENTATIONS[self._sampling.augmentation], "share": shard}
        if self._index is None:
            batches = train_dataset(self._manifest, image_size=side, batch_size=config.batch_size, **options)
            return batches.take((self.steps_per_epoch - skip) * shard.portions)
        record_batches, size = self._sample(epoch, side, resumed=skip > 0)
        record_batches = record_batches[:self.steps_per_epoch]
        size = size if isinstance(size, int) else size[:len(record_batches)]
        return planned_dataset(self._manifest, self._index, record_batches, image_size=size, **options)

    def _sample(self, epoch: int, side: int, resumed: bool) -> tuple[np.ndarray, int | np.ndarray]:
        """Returns the record numbers of each batch, int [steps, B], and the image size of all or of each batch."""
        sampling, index, batch, seed = self._sampling, self._index, self._config.batch_size, self._config.seed
        if sampling.sampler == "aspect_groups":
            return aspect_sampler(index.height, index.width, batch, seed, epoch, scale=side / ASPECT_SIDE)
        if sampling.sampler == "balanced":
            return balanced_sampler(index.label, batch, seed, epoch, sampling.balance_exponent), side
        if sampling.sampler == "classes_by_images":
            return pk_sampler(index.label, batch // sampling.group_size, sampling.group_size, seed, epoch), side
        return tuple_sampler(self._tuples(epoch, side, resumed), batch // sampling.group_size, seed, epoch), side

    def _tuples(self, epoch: int, side: int, resumed: bool) -> np.ndarray:
        """Returns the tuples of an epoch, mined by the chief and read by the other workers."""
        mined = None
        if self._worker_info.is_chief:
            mined = self._miner.tuples(epoch, None if resumed else functools.partial(self._embed_records, side=side))
        all_reduce_sum(0)  # a barrier: the file is written
        return self._miner.tuples(epoch, None) if mined is None else mined

    def _count_steps(self) -> int:
        batch, sampling = self._config.batch_size, self._sampling
        if sampling.sampler == "shuffled":
            return steps_per_epoch(self._manifest, batch)
        if sampling.sampler != "mined_tuples":
            return len(self._sample(0, self._config.image_size, resumed=False)[0])
        tuples = batch // sampling.group_size
        if self._miner.query_size < tuples:
            raise UserError(f"at least {tuples} tuples, one batch",
                            f"{self._miner.query_size}, for --query_size or the records allow no more",
                            "Lower --batch_size, or raise --query_size.")
        return self._miner.query_size // tuples

    def _embed_records(self, records: np.ndarray, side: int) -> np.ndarray:
        batches = selected_dataset(self._manifest, self._index, records, image_size=side, batch_size=self._config.batch_size)
        steps = progress(batches, "embedding for mining", total=-(-len(records) // self._config.batch_size), unit="step")
        return np.concatenate([run_on_local_replica(self._embed, images).numpy() for images, _ in steps])


def validation_batches(records: str | Path, config: TrainingConfig, sampling: SamplingConfig,
                       objective: str) -> tf.data.Dataset | None:
    """Returns the validation batches of this worker, from `records/validation`, without random views.

    All images for cross-entropy. For objectives on pairs the same batches of several images of each landmark after every
    epoch; none for objectives on mined tuples, whose loss on other tuples says nothing.

    Args:
        records: Folder of `experiments.prepare`.
        config: Gives the batch size and the image size of the last epoch.
        sampling: Gives the view, the images per landmark in a batch, and the largest number of batches.
        objective: A name of `OBJECTIVES`.

    Returns:
        Dataset of images float32 [B, S, S, 3] and labels int32 [B]; None where there is nothing to measure.
    """
    folder, batches = Path(records) / "validation", OBJECTIVES[objective].batches
    manifest = read_manifest(folder) if folder.exists() else None
    if manifest is None or not manifest.num_examples or batches == "tuples":
        return None
    side, worker_info = config.size_at(max(config.epochs - 1, 0)), WorkerInfo.current()
    own_batches = slice(worker_info.rank, None, worker_info.world_size)
    if batches == "pairs":
        landmarks = min(config.batch_size // sampling.group_size, int(np.sum(np.array(manifest.class_counts) > 1)))
        if landmarks < 2:
            logging.info("No validation: fewer than two landmarks of %s have two images.", folder)
            return None
        index = read_record_index(manifest)
        sampled = pk_sampler(index.label, landmarks, sampling.group_size, seed=0, epoch=0)[own_batches]
        dataset = selected_dataset(manifest, index, sampled.reshape(-1), image_size=side,
                                   batch_size=landmarks * sampling.group_size)
    else:
        view = "centre_crop" if AUGMENTATIONS[sampling.augmentation].oversize else "stretch"
        dataset = evaluation_dataset(manifest, image_size=side, batch_size=config.batch_size, view=view,
                                     num_workers=worker_info.world_size, worker=worker_info.rank)
    limit = len(range(sampling.steps_per_epoch)[own_batches])
    return dataset.take(limit if sampling.steps_per_epoch else -1)
