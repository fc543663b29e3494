"""What can be told of a run before its first step."""

import math

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.heads import Head
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.first_loss import expected_first_loss
from landmark_zoo.training.head_memory import head_memory
from landmark_zoo.training.local_result import local_result
from landmark_zoo.training.objectives.base import Objective


def startup_checks(model: tf.keras.Model, objective: Objective, head: Head | None, images: tf.Tensor, labels: tf.Tensor,
                   config: TrainingConfig, random_classification: bool) -> float:
    """Looks at a first batch, prints what it finds and warns of a first loss that is not that of chance.

    Args:
        model: About to be trained.
        objective: What is minimised; asked with `training=False`, so that nothing moves and no margin counts.
        head: The model's; None where there is none.
        images: [B, H, W, 3].
        labels: int [B].
        config: What the head's memory is reckoned from.
        random_classification: Whether `objective` is the plain cross-entropy of a head with random weights. Started from
            class means or from another run the loss is lower, and only that it is finite is checked.

    Returns:
        The first loss.

    Raises:
        UserError: A label that the head does not have, or a loss that is not finite.
    """
    low, high = int(tf.reduce_min(labels)), int(tf.reduce_max(labels))
    if head is not None:
        if low < 0 or high >= head.num_classes:
            raise UserError(f"labels from 0 to {head.num_classes - 1}, those of the head", f"{low} to {high}",
                            "Prepare the records again; their manifest does not fit them.")
        memory = head_memory(head, config, tf.distribute.get_strategy().num_replicas_in_sync)
        logging.info("Head %s on each device: %.1f MiB (%s).", " x ".join(map(str, head.kernel.shape)), sum(memory.values()),
                     ", ".join(f"{name} {size:.1f}" for name, size in memory.items() if size))
    loss = float(tf.reduce_mean(local_result(lambda *batch: objective(*batch, training=False), images, labels)[0]))
    if not math.isfinite(loss):
        raise UserError("a finite loss of the first batch", str(loss), "Check the weights that the run starts from.")
    expected = expected_first_loss(model, head) if head is not None and random_classification else None
    if expected is None:
        logging.info("First batch: labels %d to %d, loss %.3f.", low, high, loss)
        return loss
    chance, tolerance = expected
    logging.info("First batch: labels %d to %d, loss %.3f without margin; chance is %.3f (ln %d = %.3f).", low, high, loss,
                 chance, head.num_classes, math.log(head.num_classes))
    if abs(loss - chance) > tolerance:
        logging.warning("The first loss is more than %.1f from chance: look at pictures, labels and --scale.", tolerance)
    return loss
