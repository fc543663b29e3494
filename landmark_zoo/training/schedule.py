"""The learning rate over a run."""

import math

import tensorflow as tf

from landmark_zoo.training.config import TrainingConfig


def rate_factor(config: TrainingConfig, step: tf.Tensor | int, steps_per_epoch: int) -> tf.Tensor:
    """Returns the learning rate of a step as a part of the peak.

    It rises as (step + 1) / w in the w steps of the warm-up. After that, with d the part done of the steps that are left,
    0..1, and f the final rate as a part of the peak:

    | schedule | factor |
    |---|---|
    | cosine | f + (1 - f) (1 + cos(pi d)) / 2 |
    | linear | f + (1 - f) (1 - d) |
    | polynomial | f + (1 - f) (1 - d)^power |
    | exponential | factor^e after e whole epochs, as `ExponentialLR` of the retrieval codes |
    | step | factor^k after k of the `decay_epochs`, as `MultiStepLR` |
    | constant | 1 |

    Args:
        config: Schedule and epochs.
        step: Steps made so far.
        steps_per_epoch: Batches of one epoch.

    Returns:
        float32 [].
    """
    total = max(config.epochs * steps_per_epoch, 1)
    warmup = min(int(config.warmup_fraction * total), total - 1)
    step = tf.cast(step, tf.float32)
    done = tf.clip_by_value((step - warmup) / (total - warmup), 0.0, 1.0)
    fall = _fall(config, done, tf.floor(step / steps_per_epoch))
    return tf.where(step < warmup, (step + 1) / max(warmup, 1), fall)


def _fall(config: TrainingConfig, done: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
    if config.schedule == "constant":
        return tf.ones([])
    if config.schedule == "exponential":
        return (0.99 if config.decay_factor is None else config.decay_factor) ** epoch
    if config.schedule == "step":
        passed = tf.reduce_sum(tf.cast(epoch >= tf.constant(config.decay_steps, tf.float32), tf.float32))
        return (0.1 if config.decay_factor is None else config.decay_factor) ** passed
    shape = {"cosine": lambda: (1 + tf.cos(math.pi * done)) / 2, "linear": lambda: 1 - done,
             "polynomial": lambda: (1 - done) ** config.decay_power}[config.schedule]()
    final = config.final_learning_rate / config.learning_rate
    return final + (1 - final) * shape


class LearningRate(tf.keras.optimizers.schedules.LearningRateSchedule):
    """The rate of one group of variables, by the steps of the run and not of the optimizer.

    An optimizer that joins late, or left a step out, keeps in time with the others.

    Args:
        config: Peak and schedule.
        multiplier: Of the peak.
        steps_per_epoch: Batches of one epoch.
        run_step: Steps that the run has made.
    """

    def __init__(self, config: TrainingConfig, multiplier: float, steps_per_epoch: int, run_step: tf.Variable):
        self._config, self._peak = config, config.learning_rate * multiplier
        self._steps_per_epoch, self._run_step = steps_per_epoch, run_step

    def __call__(self, step):
        """Returns the rate now; `step`, the optimizer's own count, is not looked at."""
        del step
        return self._peak * rate_factor(self._config, self._run_step, self._steps_per_epoch)
