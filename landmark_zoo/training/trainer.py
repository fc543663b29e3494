"""The training loop."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.checkpoints import Checkpoints
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.grouped_optimizer import Group, GroupedOptimizer
from landmark_zoo.training.history import History
from landmark_zoo.training.local_result import local_result
from landmark_zoo.training.loss_scale import LossScale
from landmark_zoo.training.meter import Meter
from landmark_zoo.training.objectives.base import Objective
from landmark_zoo.training.place import Place
from landmark_zoo.training.replica_batches import replica_batches
from landmark_zoo.training.save_times import SaveTimes
from landmark_zoo.training.schedule import rate_factor
from landmark_zoo.training.sum_over_workers import sum_over_workers
from landmark_zoo.training.train_step import TrainStep
from landmark_zoo.training.weight_averages import WeightAverages

EpochData = Callable[[int, int], tf.data.Dataset]
SPEED_AFTER = 20  # steps of a process, when its speed is first told


class ToldToStopError(Exception):
    """Training ended early as it was told to, with all it has done saved."""


class Trainer:
    """Trains a model step by step; killed at any moment, it goes on from the last checkpoint with the same data order.

    It works under the current strategy of `tf.distribute`; of several workers only the chief writes files.

    Args:
        model: What is trained.
        objective: Loss and accuracy of a batch.
        groups: Variables and their learning-rate multipliers.
        config: How.
        workdir: Where checkpoints and history go.
        steps_per_epoch: Batches of one epoch.
        initialise: Called once in a run's life, before its first step, to set initial weights.

    Raises:
        UserError: Nothing learns, or the newest checkpoint is of another model.
    """

    def __init__(self, model: tf.keras.Model, objective: Objective, groups: list[Group], config: TrainingConfig,
                 workdir: Path, steps_per_epoch: int, initialise: Callable[[], None] = lambda: None):
        self.config, self.objective, self.steps_per_epoch = config, objective, steps_per_epoch
        self.total_steps = config.epochs * steps_per_epoch
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.optimizer = GroupedOptimizer(groups, config, steps_per_epoch, self._step)
        if self.total_steps and not self.optimizer.active(0):
            raise UserError("something that learns from the first step on", "none of " + ", ".join(
                f"{len(group.variables)} variables of {group.name}, multiplier {group.multiplier:g}" for group in groups),
                "Mend --freeze, --head_epochs and the multipliers.")
        self.averages = WeightAverages(model, config.ema_momentum) if config.ema_momentum else None
        loss_scale = LossScale() if config.precision == "mixed_float16" else None
        state = {"optimizer": self.optimizer, "step": self._step, "averages": self.averages, "loss_scale": loss_scale}
        self.checkpoints = Checkpoints(workdir, model, **{key: part for key, part in state.items() if part is not None})
        if not self.checkpoints.restore():
            initialise()
            if self.averages is not None:
                self.averages.start()
            self.checkpoints.save_initial()
            self.checkpoints.save(0)
            if Place.here().num_workers > 1:
                self.checkpoints.restore()
        elif self.step > 0:
            logging.info("Going on from step %d of %d.", self.step, self.total_steps)
        self.history = History(workdir, self.step) if Place.here().is_chief else None
        self._train_step = TrainStep(objective, self.optimizer, self._step, config, loss_scale, self.averages, model)
        self._test_step = tf.function(lambda images, labels: objective(images, labels, training=False),
                                      reduce_retracing=True)

    @property
    def step(self) -> int:
        """How many steps the run has made."""
        return int(self._step.numpy())

    def fit(self, epoch_data: EpochData, validation: tf.data.Dataset | None = None,
            stop: Callable[[], bool] = lambda: False) -> None:
        """Trains to the end.

        Args:
            epoch_data: (epoch, batches to skip) to the rest of that epoch's batches: images [B, H, W, 3], labels int32 [B];
                under a strategy this worker's rows of them, in portions for its devices (`Place.share`).
            validation: Finite, of several workers each one's part; its loss and accuracy are measured after each epoch, of
                the averaged weights where there are such.
            stop: Asked after each step whether this process has been told to end.

        Raises:
            UserError: The loss or a gradient is not finite.
            ToldToStopError: Any worker has been told to end; all have saved the same step.
        """
        times, ends, told = SaveTimes(self.config, stop, self.step), [], False
        for epoch in range(self.step // self.steps_per_epoch, self.config.epochs):
            skipped = self.step - epoch * self.steps_per_epoch
            meter = Meter(self.config.batch_size)
            for images, labels in replica_batches(epoch_data(epoch, skipped), self.steps_per_epoch - skipped):
                meter.add(*self._train_step(images, labels))
                step = self.step
                ends.append(time.monotonic())
                if len(ends) == SPEED_AFTER:
                    self._tell_speed(ends)
                if step % self.config.log_steps == 0 or step == self.total_steps:
                    self._log(epoch, step, meter)
                save, told = times.after(step)
                if save:
                    self.checkpoints.save(step)
                if told and step % self.steps_per_epoch:
                    raise ToldToStopError(f"Saved at step {step} of {self.total_steps}, as told.")
            if validation is not None:
                self._validate(epoch, validation)
            self.checkpoints.save(self.step)
            if epoch + 1 < self.config.epochs and (told or times.told()):
                raise ToldToStopError(f"Saved at step {self.step} of {self.total_steps}, as told.")

    def _tell_speed(self, ends: list[float]) -> None:
        """Logs the speed of the middle one of some steps, which neither tracing nor validation holds up."""
        seconds = max(float(np.median(np.diff(ends))), 1e-9)
        logging.info("After %d steps: %.1f images/s, %.1f minutes left without validation.", len(ends),
                     self.config.batch_size / seconds, (self.total_steps - self.step) * seconds / 60)

    def _log(self, epoch: int, step: int, meter: Meter) -> None:
        loss, accuracy, speed = meter.read()
        if self.history is None:
            return
        rate = self.config.learning_rate * float(rate_factor(self.config, step - 1, self.steps_per_epoch))
        self.history.add(step, epoch=epoch, loss=loss, accuracy=accuracy, learning_rate=rate, images_per_second=speed)
        left = (self.total_steps - step) * self.config.batch_size / max(speed, 1e-9)
        logging.info("epoch %d/%d, step %d/%d: loss %.3f, accuracy %.1f %%, %.1f images/s, %.0f s left", epoch + 1,
                     self.config.epochs, step, self.total_steps, loss, 100 * accuracy, speed, left)

    def _validate(self, epoch: int, validation: tf.data.Dataset) -> None:
        with contextlib.nullcontext() if self.averages is None else self.averages.in_model():
            results = [local_result(self._test_step, images, labels) for images, labels in validation]
        losses, correct = (tf.concat([result[of] for result in results] or [tf.zeros([0])], axis=0) for of in (0, 1))
        count = int(tf.size(losses))
        sums = sum_over_workers(count, *(count * float(tf.reduce_mean(values)) if count else 0.0
                                         for values in (losses, correct)))
        loss, accuracy = sums[1] / sums[0], sums[2] / sums[0]
        if self.history is None:
            return
        self.history.add(self.step, epoch=epoch, validation_loss=loss, validation_accuracy=accuracy)
        logging.info("epoch %d/%d: validation loss %.3f, accuracy %.1f %%", epoch + 1, self.config.epochs, loss,
                     100 * accuracy)
