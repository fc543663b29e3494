"""Images of landmarks that training does not see: which are measured, how many a run can afford, and their ranking."""

import dataclasses
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.input_pipeline import selected_dataset
from landmark_zoo.data.manifest import VALIDATION_LANDMARKS, Manifest, read_manifest
from landmark_zoo.data.record_index import RecordIndex, read_record_index
from landmark_zoo.data.samplers import landmark_subset
from landmark_zoo.metrics.exact_ranks import retrieval_figures
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import (
    WorkerInfo,
    all_reduce_sum,
    run_on_local_replica,
    sum_over_workers,
)
from landmark_zoo.training.interpolation import FACTORS

LARGEST_SHARE = 0.05  # of the work of a run that all measurements together may take
MIN_IMAGES = 100  # that are measured whatever their share
MIN_MEASUREMENTS = 4  # while training, whatever their share


def affordable_images(config: TrainingConfig, steps_per_epoch: int) -> int:
    """Returns how many images may be measured before the first step and after each `epochs_between` epochs.

    An image that is trained on costs decoding and three passes, one that is measured decoding and one: at most half as much
    (as much where the backbone is fixed), at the side of the last epoch. All measurements together, those of interpolated
    weights too, cost `LARGEST_SHARE` of training, tracing apart, unless `MIN_IMAGES` cost more. Of the devices of a process
    one measures.

    Args:
        config: Gives epochs, batch size, sides, and what learns.
        steps_per_epoch: Batches of one epoch.
    """
    measurements = math.ceil(config.epochs / epochs_between(config, steps_per_epoch)) + _other_measurements(config)
    return max(MIN_IMAGES, int(_affordable(config, steps_per_epoch) / measurements))


def epochs_between(config: TrainingConfig, steps_per_epoch: int) -> int:
    """Returns after every how many epochs is measured: 1, or more where epochs are so short that `MIN_IMAGES` cost too much.

    At least `MIN_MEASUREMENTS` are made while training; the last epoch is measured whatever its number.

    Args:
        config: Gives epochs, batch size, sides, and what learns.
        steps_per_epoch: Batches of one epoch.
    """
    affordable = int(_affordable(config, steps_per_epoch) / MIN_IMAGES) - _other_measurements(config)
    return math.ceil(config.epochs / max(affordable, MIN_MEASUREMENTS))


def _affordable(config: TrainingConfig, steps_per_epoch: int) -> float:
    """Returns how many images all measurements of a run together may embed."""
    info = WorkerInfo.current()
    ratio = 1 if config.freeze == "all" or not config.backbone_multiplier else 2
    epochs = sum((config.size_at(epoch) / config.size_at(config.epochs - 1)) ** 2 for epoch in range(config.epochs))
    return LARGEST_SHARE * epochs * steps_per_epoch * config.batch_size * ratio * info.world_size / info.num_replicas


def _other_measurements(config: TrainingConfig) -> int:
    """Returns the number of measurements beside those after epochs: the start, and interpolated weights."""
    return 1 + (len(FACTORS) if config.weight_interpolation == "auto" else 0)


@dataclasses.dataclass(frozen=True)
class UnseenLandmarks:
    """Images of landmarks that training does not see.

    Attributes:
        manifest: Manifest of their records.
        index: Index of these records.
        numbers: int64 [M], record numbers of the images that are measured.
        image_size: Side to which images are squashed, pixels.
        batch_size: Images per call of the model.
    """

    manifest: Manifest
    index: RecordIndex
    numbers: np.ndarray
    image_size: int
    batch_size: int

    @property
    def labels(self) -> np.ndarray:
        """Label of each image, int [M]."""
        return self.index.label[self.numbers]

    @property
    def facts(self) -> dict[str, Any]:
        """What is measured, for `model.json` and the model card."""
        return {"landmarks": len(np.unique(self.labels)), "photographs": len(self.numbers),
                "of_photographs": self.manifest.num_examples, "image_size": self.image_size,
                "largest_share_of_training": LARGEST_SHARE, "records_sha256": self.manifest.fingerprint}

    def with_images(self, count: int, seed: int) -> "UnseenLandmarks":
        """Returns the same landmarks with so many images, see `landmark_subset`."""
        return dataclasses.replace(self, numbers=landmark_subset(self.index.label, count, seed))

    def measure(self, embed: Callable[[tf.Tensor], tf.Tensor], dimension: int) -> dict[str, np.ndarray]:
        """Returns `retrieval_figures`, without NaN; each worker embeds its part of the images, and all must call.

        Args:
            embed: Function from images float32 [B, S, S, 3] to embeddings [B, D].
            dimension: D.
        """
        embeddings = np.zeros([len(self.numbers), dimension], np.float32)
        if len(own := self._own_places):
            found = [run_on_local_replica(embed, images).numpy() for images, _ in self._own_batches]
            embeddings[own] = np.concatenate(found)
        return retrieval_figures(sum_over_workers(embeddings), self.labels)

    @property
    def _own_places(self) -> np.ndarray:
        info = WorkerInfo.current()
        return np.arange(info.rank, len(self.numbers), info.world_size)

    @functools.cached_property
    def _own_batches(self) -> tf.data.Dataset:
        """This worker's images, read anew each time; made once, since TensorFlow traces every new dataset."""
        return selected_dataset(self.manifest, self.index, self.numbers[self._own_places], image_size=self.image_size,
                                batch_size=self.batch_size)


def find_unseen(records: str | Path, train: Manifest, config: TrainingConfig,
                steps_per_epoch: int) -> UnseenLandmarks | None:
    """Finds the landmarks of `records` that training does not see, and chooses the images that are measured.

    They are those of `validation_landmarks/`, or those of a `validation/` that shares no landmark with `train/`, as that of
    retrieval-SfM-120k does.

    Args:
        records: Folder of `experiments.prepare`.
        train: Manifest of the training records.
        config: Settings of training.
        steps_per_epoch: Batches of one epoch.

    Returns:
        None where there are none, or too few with two images, or nothing is trained.

    Raises:
        UserError: Landmarks that are trained on, or --patience where nothing is measured.
    """
    if not config.epochs:
        return None
    info, manifest = WorkerInfo.current(), _unseen_manifest(Path(records), train)
    batch_size = max(8, config.batch_size // (info.num_replicas * config.accumulate))
    unseen = manifest and UnseenLandmarks(manifest, read_record_index(manifest), np.zeros(0, np.int64),
                                          config.size_at(config.epochs - 1), batch_size)
    unseen = unseen and unseen.with_images(affordable_images(config, steps_per_epoch), config.seed)
    count = len(unseen.numbers) if unseen else 0
    if all_reduce_sum(count)[0] != count * info.world_size:
        raise UserError(f"the same photographs in {records} on every worker", f"{count} of unseen landmarks here, others "
                        "elsewhere", "Put the records on a file system that all nodes share.")
    if unseen and len(np.unique(unseen.labels)) > 1:
        return unseen
    if config.patience:
        raise UserError(f"landmarks kept out of training in {records}, for --patience", "none",
                        "Prepare the records with --validation_landmarks=0.15, or leave --patience out.")
    logging.info("Nothing is measured on landmarks that training does not see, since %s keeps none out: the last checkpoint "
                 "is exported.", records)
    return None


def _unseen_manifest(records: Path, train: Manifest) -> Manifest | None:
    seen = {landmark for landmark, count in zip(train.label_map, train.class_counts, strict=True) if count}
    if (records / VALIDATION_LANDMARKS).exists():
        manifest = read_manifest(records / VALIDATION_LANDMARKS)
        if both := sorted(seen.intersection(manifest.label_map)):
            raise UserError(f"landmarks in {manifest.directory} that train/ has not", f"{len(both):,} that it has, first "
                            f"{both[0]}", "Prepare the records again.")
        return manifest
    manifest = read_manifest(records / "validation") if (records / "validation").exists() else None
    if manifest is None or not manifest.num_examples:
        return None
    measured = {landmark for landmark, count in zip(manifest.label_map, manifest.class_counts, strict=True) if count}
    return None if seen & measured else manifest
