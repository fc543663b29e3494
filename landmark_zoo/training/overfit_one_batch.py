"""Whether a model can learn one batch by heart, the cheapest test of a recipe."""

import dataclasses

import tensorflow as tf
from absl import logging

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.grouped_optimizer import Group, GroupedOptimizer
from landmark_zoo.training.loss_scale import LossScale
from landmark_zoo.training.objectives.base import Objective
from landmark_zoo.training.train_step import TrainStep


def overfit_one_batch(model: tf.keras.Model, objective: Objective, groups: list[Group], config: TrainingConfig,
                      images: tf.Tensor, labels: tf.Tensor, steps: int = 200, part: float = 0.1) -> bool:
    """Trains on the same batch again and again, at the recipe's peak rate, and says whether the loss fell.

    Nothing is written, and the model should not be used afterwards.

    Args:
        model: What is trained.
        objective: What is minimised.
        groups: See `groups.variable_groups`.
        config: The recipe; schedule, warm-up, averages and `head_epochs` are left aside.
        images: [B, H, W, 3], B the recipe's batch size.
        labels: int32 [B].
        steps: After how many it is given up.
        part: Of the first loss, to which it must fall.

    Returns:
        Whether it did.
    """
    config = dataclasses.replace(config, schedule="constant", final_learning_rate=0.0, decay_factor=None, decay_epochs="",
                                 warmup_fraction=0.0, head_epochs=0)
    run_step = tf.Variable(0, dtype=tf.int64)
    optimizer = GroupedOptimizer([dataclasses.replace(group, from_epoch=0) for group in groups], config, steps, run_step)
    step = TrainStep(objective, optimizer, run_step, config, LossScale() if config.precision == "mixed_float16" else None)
    first = loss = step(images, labels)[0]
    for number in range(2, steps + 1):
        if loss <= part * first:
            break
        if number % 20 == 0:
            logging.info("One batch, step %d: loss %.4g of %.4g.", number, loss, first)
        loss, _ = step(images, labels)
    fell = loss <= part * first
    logging.info("One batch, %d steps: the loss of %s went from %.4g to %.4g, %s %g of it.", int(run_step.numpy()),
                 model.name, first, loss, "below" if fell else "NOT below", part)
    return fell
