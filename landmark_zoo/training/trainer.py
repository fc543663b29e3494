"""The training loop."""

import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.checkpoints import Checkpoints
from landmark_zoo.training.classification import Classification
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.grouped_optimizer import Group, GroupedOptimizer
from landmark_zoo.training.history import History

EpochData = Callable[[int, int], tf.data.Dataset]


class Trainer:
    """Trains a model step by step; killed at any moment, it goes on from the last checkpoint with the same data order.

    Args:
        model: What is trained.
        objective: Loss and accuracy of a batch.
        groups: Variables and their learning-rate multipliers.
        config: How.
        workdir: Where checkpoints and history go.
        steps_per_epoch: Batches of one epoch.
        initialise: Called once in a run's life, before its first step, to set initial weights.
    """

    def __init__(self, model: tf.keras.Model, objective: Classification, groups: list[Group], config: TrainingConfig,
                 workdir: Path, steps_per_epoch: int, initialise: Callable[[], None] = lambda: None):
        self.config, self.objective, self.steps_per_epoch = config, objective, steps_per_epoch
        self.total_steps = config.epochs * steps_per_epoch
        self.strategy = tf.distribute.get_strategy()
        self.optimizer = GroupedOptimizer(groups, config, max(self.total_steps, 1))
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.checkpoints = Checkpoints(workdir, model, optimizer=self.optimizer, step=self.step)
        if not self.checkpoints.restore():
            initialise()
            self.checkpoints.save_initial()
            self.checkpoints.save(0)
        elif self.step > 0:
            logging.info("Going on from step %d of %d.", int(self.step), self.total_steps)
        self.history = History(workdir, int(self.step))
        self._train_step = tf.function(self._distributed_step)
        self._test_step = tf.function(lambda images, labels: objective(images, labels, training=False))

    def fit(self, epoch_data: EpochData, validation: tf.data.Dataset | None = None) -> None:
        """Trains to the end.

        Args:
            epoch_data: (epoch, batches to skip) to the rest of that epoch's batches: images [B, S, S, 3], labels int32 [B].
            validation: Finite; its loss and accuracy are measured after each epoch.

        Raises:
            UserError: The loss or a gradient is not finite.
        """
        last_save, last_step = time.monotonic(), int(self.step)
        for epoch in range(last_step // self.steps_per_epoch, self.config.epochs):
            skipped = int(self.step) - epoch * self.steps_per_epoch
            meter = _Meter(self.config.batch_size)
            for images, labels in self._distributed(epoch_data(epoch, skipped)):
                meter.add(*self._step(images, labels))
                step = int(self.step)
                if step % self.config.log_steps == 0 or step == self.total_steps:
                    self._log(epoch, step, meter)
                every = self.config.checkpoint_steps
                if (every and step % every == 0) or time.monotonic() - last_save > self.config.checkpoint_seconds:
                    self.checkpoints.save(step)
                    last_save = time.monotonic()
            if validation is not None:
                self._validate(epoch, validation)
            self.checkpoints.save(int(self.step))

    def _step(self, images, labels) -> tuple[float, float]:
        try:
            loss, accuracy = self._train_step(images, labels)
        except tf.errors.InvalidArgumentError as error:
            if "not finite" not in str(error):
                raise
            what = "loss" if "loss is not finite" in str(error) else "gradient"
            raise UserError(f"a finite {what}", f"NaN or infinity at step {int(self.step) + 1}",
                            "Lower --learning_rate or set --clip_norm; the last checkpoint is from before.") from error
        self.step.assign_add(1)
        return float(loss), float(accuracy)

    def _distributed_step(self, images, labels):
        def replica_step(images, labels):
            with tf.GradientTape() as tape:
                losses, correct = self.objective(images, labels, training=True)
                loss = tf.reduce_sum(losses) / self.config.batch_size
                loss = tf.debugging.check_numerics(loss, "the loss is not finite")
            gradients = tape.gradient(loss, self.optimizer.trained)
            norm = tf.debugging.check_numerics(tf.linalg.global_norm(gradients), "a gradient is not finite")
            with tf.control_dependencies([norm]):
                self.optimizer.apply(gradients)
            return loss, tf.reduce_sum(correct) / self.config.batch_size

        loss, accuracy = self.strategy.run(replica_step, args=(images, labels))
        return (self.strategy.reduce(tf.distribute.ReduceOp.SUM, loss, axis=None),
                self.strategy.reduce(tf.distribute.ReduceOp.SUM, accuracy, axis=None))

    def _distributed(self, dataset: tf.data.Dataset):
        return self.strategy.experimental_distribute_dataset(dataset)

    def _log(self, epoch: int, step: int, meter: "_Meter") -> None:
        loss, accuracy, speed = meter.read()
        rate = float(self.optimizer.schedule(step - 1))
        self.history.add(step, epoch=epoch, loss=loss, accuracy=accuracy, learning_rate=rate, images_per_second=speed)
        left = (self.total_steps - step) * self.config.batch_size / max(speed, 1e-9)
        logging.info("epoch %d/%d, step %d/%d: loss %.3f, accuracy %.1f %%, %.1f images/s, %.0f s left", epoch + 1,
                     self.config.epochs, step, self.total_steps, loss, 100 * accuracy, speed, left)

    def _validate(self, epoch: int, validation: tf.data.Dataset) -> None:
        losses, correct = zip(*(self._test_step(images, labels) for images, labels in validation), strict=True)
        loss, accuracy = (float(tf.reduce_mean(tf.concat(values, axis=0))) for values in (losses, correct))
        self.history.add(int(self.step), epoch=epoch, validation_loss=loss, validation_accuracy=accuracy)
        logging.info("epoch %d/%d: validation loss %.3f, accuracy %.1f %%", epoch + 1, self.config.epochs, loss,
                     100 * accuracy)


class _Meter:
    """Mean loss and accuracy, and images per second, since they were last read."""

    def __init__(self, batch_size: int):
        self._batch_size, self._values, self._start = batch_size, [], time.monotonic()

    def add(self, loss: float, accuracy: float) -> None:
        self._values.append((loss, accuracy))

    def read(self) -> tuple[float, float, float]:
        now, count = time.monotonic(), len(self._values)
        loss, accuracy = (sum(column) / count for column in zip(*self._values, strict=True))
        speed = count * self._batch_size / max(now - self._start, 1e-9)
        self._values, self._start = [], now
        return loss, accuracy, speed
