"""A recipe tried on one batch of its records."""

import dataclasses
import tempfile
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.assembly import Assembly, check_start
from landmark_zoo.training.card_precision import card_precision
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.objectives.config import ObjectiveConfig
from landmark_zoo.training.overfit_one_batch import overfit_one_batch
from landmark_zoo.training.sampling import SamplingConfig


def overfit_run(model_config: ModelConfig, config: TrainingConfig, records: str | Path, weights: str | None = None,
                initial_embedding: str = "random", *, objective: ObjectiveConfig, sampling: SamplingConfig,
                initial_run: str | None = None) -> None:
    """Trains on the first batch of a run over and over again, and leaves nothing behind.

    Args: those of `run_training`.

    Raises:
        UserError: The loss of the batch does not fall to a tenth.
    """
    check_start(initial_embedding, initial_run)
    config = dataclasses.replace(config, precision=card_precision(config.precision))
    manifest = read_manifest(Path(records) / "train")
    tf.keras.utils.set_random_seed(config.seed)
    with tempfile.TemporaryDirectory() as scratch:
        parts = Assembly(model_config, config, objective, sampling, manifest, weights, scratch)
        parts.start(initial_embedding, initial_run)
        images, labels = next(iter(parts.epochs(0, 0)))
        fell = overfit_one_batch(parts.model, parts.objective, parts.groups, config, images, labels)
    if not fell:
        raise UserError("a model that learns one batch by heart", "a loss that did not fall to a tenth",
                        "Raise --learning_rate, or look at the pictures, the labels and what is frozen.")
