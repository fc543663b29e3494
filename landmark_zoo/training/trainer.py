"""The training loop: epochs, logging, validation, checkpoints, and the end at SIGTERM.

`Trainer.fit` is the loop. A step is in `train_step.py` (gradients) and `optimizer.py` (clipping, update). At SIGTERM or
SIGUSR1 `distributed.preemption` sets a flag; `fit` asks for it after each step, on all workers together
(`CheckpointSchedule`), saves a checkpoint and raises `PreemptedError`.
"""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.metrics.exact_ranks import FIGURES
from landmark_zoo.training.checkpoints import EMA_KEY, Checkpoints
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import (
    WorkerInfo,
    all_reduce_sum,
    distribute_dataset,
    run_on_local_replica,
)
from landmark_zoo.training.distributed.preemption import CheckpointSchedule
from landmark_zoo.training.ema import ExponentialMovingAverage
from landmark_zoo.training.history import History, read_history
from landmark_zoo.training.model_selection import ModelSelection
from landmark_zoo.training.objectives import Objective
from landmark_zoo.training.optimizer import Group, GroupedOptimizer, learning_rate_factor
from landmark_zoo.training.precision import LossScale
from landmark_zoo.training.train_step import TrainStep

EpochBatches = Callable[[int, int], tf.data.Dataset]
SPEED_LOG_STEP = 20  # step of a process after which its speed is logged


class PreemptedError(Exception):
    """Training stopped early because the process was asked to, e.g. by SIGTERM; everything is saved."""


class Meter:
    """Mean loss and accuracy, and images per second, since the last reading.

    Args:
        batch_size: Images of a step.
        clock: Returns seconds since some fixed moment.
    """

    def __init__(self, batch_size: int, clock: Callable[[], float] = time.monotonic):
        self._batch_size, self._clock = batch_size, clock
        self._values, self._start = [], clock()

    def add(self, loss: float, accuracy: float) -> None:
        """Adds loss and accuracy of a step."""
        self._values.append((loss, accuracy))

    def read(self) -> tuple[float, float, float]:
        """Returns mean loss, mean accuracy and images per second, and starts anew."""
        now, count = self._clock(), len(self._values)
        loss, accuracy = (sum(column) / count for column in zip(*self._values, strict=True))
        speed = count * self._batch_size / max(now - self._start, 1e-9)
        self._values, self._start = [], now
        return loss, accuracy, speed


class Trainer:
    """Training loop of a run: after a kill at any moment it continues from the last checkpoint with the same data order.

    It works under the current strategy of `tf.distribute`; of several workers only the chief writes files.

    Args:
        model: Model that is trained.
        objective: Loss and accuracy of a batch.
        groups: Parameter groups with their learning-rate multipliers.
        config: Training settings.
        workdir: Folder of the run, for checkpoints and history.
        steps_per_epoch: Batches of one epoch.
        initialize: Sets the initial weights; called once in the life of a run, before its first step.

    Attributes:
        ema: Moving averages of the weights, or None.
        optimizer: Optimizer of all parameter groups.
        checkpoints: Checkpoints of the run.
        history: Writer of `history.jsonl`; None on workers other than the chief.

    Raises:
        UserError: No variable is trained, or the newest checkpoint belongs to another model.
    """

    def __init__(self, model: tf.keras.Model, objective: Objective, groups: list[Group], config: TrainingConfig,
                 workdir: Path, steps_per_epoch: int, initialize: Callable[[], None] = lambda: None):
        self.config, self.objective, self.steps_per_epoch = config, objective, steps_per_epoch
        self.total_steps = config.epochs * steps_per_epoch
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.optimizer = GroupedOptimizer(groups, config, steps_per_epoch, self._step)
        if self.total_steps and not self.optimizer.active(0):
            raise UserError("something that learns from the first step on", "none of " + ", ".join(
                f"{len(group.variables)} variables of {group.name}, multiplier {group.multiplier:g}" for group in groups),
                "Mend --freeze, --head_epochs and the multipliers.")
        self.ema = ExponentialMovingAverage(model, config.ema_momentum) if config.ema_momentum else None
        loss_scale = LossScale() if config.precision == "mixed_float16" else None
        state = {"optimizer": self.optimizer, "step": self._step, EMA_KEY: self.ema, "loss_scale": loss_scale}
        self.checkpoints = Checkpoints(workdir, model, **{key: value for key, value in state.items() if value is not None})
        if not self.checkpoints.restore():
            initialize()
            if self.ema is not None:
                self.ema.reset()
            self.checkpoints.save_initial()
            self.checkpoints.save(0)
            if WorkerInfo.current().world_size > 1:
                self.checkpoints.restore()
        elif self.step > 0:
            logging.info("Going on from step %d of %d.", self.step, self.total_steps)
        self.history = History(workdir, self.step) if WorkerInfo.current().is_chief else None
        self._train_step = TrainStep(objective, self.optimizer, self._step, config, loss_scale, self.ema, model)
        self._test_step = tf.function(lambda images, labels: objective(images, labels, training=False),
                                      reduce_retracing=True)

    @property
    def step(self) -> int:
        """Number of steps that the run has made."""
        return int(self._step.numpy())

    def fit(self, epoch_batches: EpochBatches, validation: tf.data.Dataset | None = None,
            should_stop: Callable[[], bool] = lambda: False, selection: ModelSelection | None = None) -> None:
        """Trains until the last epoch ends, patience is at its end, or a worker is asked to stop.

        Args:
            epoch_batches: Function of epoch and number of batches to skip; returns the rest of that epoch's batches, images
                [B, H, W, 3], labels int32 [B] and, where the objective takes them, a teacher's embeddings; under a strategy
                this worker's rows of them, in per-replica batches (`WorkerInfo.input_shard`).
            validation: Finite dataset, of several workers each one's part, on which loss and accuracy are measured after
                each epoch, with the EMA of the weights where there is one.
            should_stop: Called after each step; returns whether this process has been asked to stop, e.g. by SIGTERM.
            selection: Choice of the checkpoint to keep, made before the first step and after each epoch, with the EMA too.

        Raises:
            UserError: Loss or gradient is not finite.
            PreemptedError: A worker has been asked to stop; all have saved the same step. Within an epoch that is after the
                current step, at the end of one after its validation, at the end of the run not at all.
        """
        if selection is not None and selection.due(self.step, self.steps_per_epoch):
            self._select(selection)
        schedule, step_times, stop = CheckpointSchedule(self.config, should_stop, self.step), [], False
        for epoch in range(self.step // self.steps_per_epoch, self.config.epochs):
            if selection is not None and selection.is_over():
                logging.info("No better mAP in %d epochs: training ends at step %d of %d.", self.config.patience, self.step,
                             self.total_steps)
                break
            skipped = self.step - epoch * self.steps_per_epoch
            meter = Meter(self.config.batch_size)
            for batch in distribute_dataset(epoch_batches(epoch, skipped), self.steps_per_epoch - skipped):
                meter.add(*self._train_step(*batch))
                step = self.step
                step_times.append(time.monotonic())
                if len(step_times) == SPEED_LOG_STEP:
                    self._log_speed(step_times)
                if step % self.config.log_steps == 0 or step == self.total_steps:
                    self._log(epoch, step, meter)
                save, stop = schedule.after(step)
                if save:
                    self.checkpoints.save(step)
                if stop and step % self.steps_per_epoch:
                    raise self._preempted()
            if validation is not None:
                self._validate(epoch, validation)
            self.checkpoints.save(self.step)
            if selection is not None and selection.due(self.step, self.steps_per_epoch):
                self._select(selection)
            if epoch + 1 < self.config.epochs and (stop or schedule.stop_requested()):
                raise self._preempted()
        if selection is not None:
            with self._averages():
                selection.interpolate(self.step, self.step // self.steps_per_epoch)
            if self.history is not None:
                logging.info("%s", selection.verdict())

    def _preempted(self) -> PreemptedError:
        return PreemptedError(f"Saved at step {self.step} of {self.total_steps}, as told.")

    def _log_speed(self, step_times: list[float]) -> None:
        """Logs the speed by the median time of a step, which neither tracing nor validation holds up."""
        seconds = max(float(np.median(np.diff(step_times))), 1e-9)
        logging.info("After %d steps: %.1f images/s, %.1f minutes left without validation.", len(step_times),
                     self.config.batch_size / seconds, (self.total_steps - self.step) * seconds / 60)

    def _log(self, epoch: int, step: int, meter: Meter) -> None:
        loss, accuracy, speed = meter.read()
        if self.history is None:
            return
        rate = self.config.learning_rate * float(learning_rate_factor(self.config, step - 1, self.steps_per_epoch))
        self.history.add(step, epoch=epoch, loss=loss, accuracy=accuracy, learning_rate=rate, images_per_second=speed)
        left = (self.total_steps - step) * self.config.batch_size / max(speed, 1e-9)
        logging.info("epoch %d/%d, step %d/%d: loss %.3f, accuracy %.1f %%, %.1f images/s, %.0f s left", epoch + 1,
                     self.config.epochs, step, self.total_steps, loss, 100 * accuracy, speed, left)

    def _validate(self, epoch: int, validation: tf.data.Dataset) -> None:
        """Measures loss and accuracy on the validation batches of all workers, and writes them to the history."""
        with self._averages():
            results = [run_on_local_replica(self._test_step, images, labels) for images, labels in validation]
        losses, correct = (tf.concat([result[index] for result in results] or [tf.zeros([0])], axis=0) for index in (0, 1))
        count, total_loss, total_correct = all_reduce_sum(
            int(tf.size(losses)), float(tf.reduce_sum(losses)), float(tf.reduce_sum(correct)))
        loss, accuracy = total_loss / count, total_correct / count
        if self.history is None:
            return
        self.history.add(self.step, epoch=epoch, validation_loss=loss, validation_accuracy=accuracy)
        logging.info("epoch %d/%d: validation loss %.3f, accuracy %.1f %%", epoch + 1, self.config.epochs, loss,
                     100 * accuracy)

    def _select(self, selection: ModelSelection) -> None:
        """Measures retrieval of unseen landmarks, keeps the weights where they are best, and writes the history.

        The checkpoint of the step is there already: a kill in here costs the measurement alone, which is made again.
        """
        epoch, start = self.step // self.steps_per_epoch, time.monotonic()
        with self._averages():
            found = selection.measure(self.step, epoch)
            self._log_retrieval(found)
            selection.choose(found)
        if self.history is not None:
            logging.info("epoch %d/%d: mAP %.1f %%, mP@5 %.1f %%, recall@1 %.1f %% on %s, in %.1f s", epoch,
                         self.config.epochs, *(100 * found[name] for name in FIGURES), selection.progress(),
                         time.monotonic() - start)

    def _log_retrieval(self, found: dict[str, Any]) -> None:
        """Writes a line of the history, unless a killed process has written it."""
        if self.history is not None and not any(line["step"] == self.step and "retrieval_map" in line
                                                for line in read_history(self.history.path)):
            self.history.add(self.step, epoch=max(found["epoch"] - 1, 0), **{name: found[name] for name in FIGURES})

    def _averages(self) -> contextlib.AbstractContextManager:
        """Context manager in which the model has the EMA of its weights, where there is one."""
        return contextlib.nullcontext() if self.ema is None else self.ema.applied_to_model()
