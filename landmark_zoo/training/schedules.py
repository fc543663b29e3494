"""Learning-rate schedules with linear warm-up, by the step of the run."""

import math

import tensorflow as tf

from landmark_zoo.training.config import TrainingConfig


def learning_rate_factor(config: TrainingConfig, step: tf.Tensor | int, steps_per_epoch: int) -> tf.Tensor:
    """Returns the learning rate of a step as a fraction of the peak rate.

    It rises as (step + 1) / w in the w steps of the warm-up. After that, with d the fraction of the remaining steps that is
    done, 0..1, and f the final rate as a fraction of the peak:

    | schedule | factor |
    |---|---|
    | cosine | f + (1 - f) (1 + cos(pi d)) / 2 |
    | linear | f + (1 - f) (1 - d) |
    | polynomial | f + (1 - f) (1 - d)^power |
    | exponential | factor^e after e whole epochs, as `ExponentialLR` of the retrieval codes |
    | step | factor^k after k of the `decay_epochs`, as `MultiStepLR` |
    | constant | 1 |

    Args:
        config: Gives schedule, warm-up and epochs.
        step: Steps made so far.
        steps_per_epoch: Batches of one epoch.

    Returns:
        float32 [].

    Example:
        >>> config = TrainingConfig(epochs=10, schedule="step", decay_epochs="5,8", warmup_fraction=0)
        >>> [round(float(learning_rate_factor(config, step, steps_per_epoch=1)), 4) for step in (0, 5, 8)]
        [1.0, 0.1, 0.01]
    """
    total = max(config.epochs * steps_per_epoch, 1)
    warmup = min(int(config.warmup_fraction * total), total - 1)
    step = tf.cast(step, tf.float32)
    done = tf.clip_by_value((step - warmup) / (total - warmup), 0.0, 1.0)
    decayed = _decay_factor(config, done, tf.floor(step / steps_per_epoch))
    return tf.where(step < warmup, (step + 1) / max(warmup, 1), decayed)


def _decay_factor(config: TrainingConfig, done: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
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
    """Learning rate of one parameter group, by the step of the run instead of the optimizer's own count.

    An optimizer that starts late, or left a step out, keeps in time with the others.

    Args:
        config: Gives peak rate and schedule.
        multiplier: Factor of the peak rate for this group.
        steps_per_epoch: Batches of one epoch.
        run_step: Steps that the run has made.

    Example:
        >>> config = TrainingConfig(epochs=2, learning_rate=0.1, schedule="linear", warmup_fraction=0)
        >>> run_step = tf.Variable(4)
        >>> rate = LearningRate(config, multiplier=0.5, steps_per_epoch=4, run_step=run_step)
        >>> round(float(rate(0)), 4)
        0.025
    """

    def __init__(self, config: TrainingConfig, multiplier: float, steps_per_epoch: int, run_step: tf.Variable):
        self._config, self._peak = config, config.learning_rate * multiplier
        self._steps_per_epoch, self._run_step = steps_per_epoch, run_step

    def __call__(self, step):
        """Returns the rate at the run's step; `step`, the optimizer's own count, is not used."""
        del step
        return self._peak * learning_rate_factor(self._config, self._run_step, self._steps_per_epoch)
