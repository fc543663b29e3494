"""What a run is measured on after each epoch."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.data.augmentations import AUGMENTATIONS
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.pipeline import evaluation_dataset
from landmark_zoo.data.plans.classes_by_images import pxk_plan
from landmark_zoo.data.record_index import read_record_index
from landmark_zoo.data.selected import selected_dataset
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.objectives import OBJECTIVES
from landmark_zoo.training.place import Place
from landmark_zoo.training.sampling import SamplingConfig


def validation_batches(records: str | Path, config: TrainingConfig, sampling: SamplingConfig,
                       objective: str) -> tf.data.Dataset | None:
    """Returns the batches of `records/validation`, without random views, as an objective can take them.

    Of several workers each gets some of the batches.

    All pictures for cross-entropy. For objectives on pairs the same batches of several pictures of each landmark after every
    epoch; none for objectives on mined tuples, whose loss on other tuples says nothing.

    Args:
        records: Folder of `experiments.prepare`.
        config: Batch size; image size of the last epoch.
        sampling: Views, the pictures of a landmark in a batch, and after how many batches it ends.
        objective: A name of `OBJECTIVES`.

    Returns:
        (images float32 [B, S, S, 3], labels int32 [B]), or None where there is nothing to measure.
    """
    folder, batches = Path(records) / "validation", OBJECTIVES[objective].batches
    manifest = read_manifest(folder) if folder.exists() else None
    if manifest is None or not manifest.num_examples or batches == "tuples":
        return None
    side, place = config.size_at(max(config.epochs - 1, 0)), Place.here()
    if batches == "pairs":
        landmarks = min(config.batch_size // sampling.unit, int(np.sum(np.array(manifest.class_counts) > 1)))
        if landmarks < 2:
            logging.info("No validation: fewer than two landmarks of %s have two photographs.", folder)
            return None
        index = read_record_index(manifest)
        plan = pxk_plan(index.label, landmarks, sampling.unit, seed=0, epoch=0)[place.worker::place.num_workers]
        dataset = selected_dataset(manifest, index, plan.reshape(-1), image_size=side, batch_size=landmarks * sampling.unit)
    else:
        view = "centre_crop" if AUGMENTATIONS[sampling.augmentation].oversize else "stretch"
        dataset = evaluation_dataset(manifest, image_size=side, batch_size=config.batch_size, view=view,
                                     num_workers=place.num_workers, worker=place.worker)
    most = range(sampling.steps_per_epoch)[place.worker::place.num_workers]
    return dataset.take(len(most) if sampling.steps_per_epoch else -1)
