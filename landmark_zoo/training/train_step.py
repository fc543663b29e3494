"""One optimization step: the gradient of a global batch, from micro-batches and replicas, and the update of the weights."""

import functools
from collections.abc import Callable, Sequence

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.ema import ExponentialMovingAverage
from landmark_zoo.training.objectives import Objective
from landmark_zoo.training.optimizer import GroupedOptimizer
from landmark_zoo.training.precision import LossScale

Compute = Callable[..., tuple[tf.Tensor, ...]]


def accumulate_gradients(compute: Compute, batch: Sequence[tf.Tensor], num_micro_batches: int,
                         zeros: Sequence[tf.Tensor]) -> tuple[tf.Tensor, ...]:
    """Returns the means over micro-batches of loss, accuracy and gradients, with one micro-batch in memory at a time.

    The mean over micro-batches of the gradients of their mean losses is the gradient of the mean loss of the batch.

    Args:
        compute: Function of the parts of a micro-batch; returns a flat tuple of float tensors.
        batch: Parts of the batch, each [B, ...]: images, labels and perhaps more.
        num_micro_batches: Number of micro-batches, which must divide B.
        zeros: Initial sums, in the shapes of the values of `compute`.
    """
    if num_micro_batches == 1:
        return compute(*batch)
    size = tf.shape(batch[0])[0] // num_micro_batches

    def add(index, *sums):
        rows = slice(index * size, (index + 1) * size)
        values = compute(*(part[rows] for part in batch))
        return [index + 1, *(total + value for total, value in zip(sums, values, strict=True))]

    _, *sums = tf.while_loop(lambda index, *_: index < num_micro_batches, add, [0, *zeros],
                             maximum_iterations=num_micro_batches, parallel_iterations=1)
    return tuple(total / num_micro_batches for total in sums)


class TrainStep:
    """Training step: the gradient of the mean loss of a global batch, and the update of weights, EMA and loss scale.

    Loss, accuracy and gradients are averaged over micro-batches and replicas. `GroupedOptimizer.apply` then clips the
    gradients and applies them.

    Args:
        objective: Losses of a batch.
        optimizer: Optimizer of all parameter groups.
        run_step: Step of the run, which each call increments.
        config: Gives the number of micro-batches.
        loss_scale: Loss scale for float16; None without.
        ema: Moving averages to update; None without.
        model: Model whose layers' own penalties (the L2 of DELF's and DELG's attention) are added to the loss; None for no
            penalties.
    """

    def __init__(self, objective: Objective, optimizer: GroupedOptimizer, run_step: tf.Variable, config: TrainingConfig,
                 loss_scale: LossScale | None = None, ema: ExponentialMovingAverage | None = None,
                 model: tf.keras.Model | None = None):
        self.objective, self.optimizer, self.run_step = objective, optimizer, run_step
        self.num_micro_batches, self.loss_scale, self.ema = config.accumulate, loss_scale, ema
        self.model, self.strategy = model, tf.distribute.get_strategy()
        self._compiled_steps = {}

    def __call__(self, images: tf.Tensor, labels: tf.Tensor, *targets: tf.Tensor) -> tuple[float, float]:
        """Makes a step.

        Args:
            images: [B, H, W, 3], or one such tensor per replica of this process.
            labels: int32 [B], or one such tensor per replica of this process.
            *targets: A teacher's embeddings [B, E], for an objective that takes them.

        Returns:
            Loss and accuracy, means over the batch.

        Raises:
            UserError: Loss or gradient is not finite; the weights are unchanged.
        """
        active = self.optimizer.active(int(self.run_step.numpy()))
        if active not in self._compiled_steps:
            self._compiled_steps[active] = tf.function(functools.partial(self._step, active), reduce_retracing=True)
        try:
            loss, accuracy = self._compiled_steps[active](images, labels, *targets)
        except tf.errors.InvalidArgumentError as error:
            if "not finite" not in str(error):
                raise
            what = "loss" if "loss is not finite" in str(error) else "gradient"
            raise UserError(f"a finite {what}", f"NaN or infinity at step {int(self.run_step.numpy()) + 1}",
                            "Lower --learning_rate or set --clip_norm; the last checkpoint is from before.") from error
        self.run_step.assign_add(1)
        return float(loss), float(accuracy)

    def _step(self, active, *batch):
        loss, accuracy, gradients = self.strategy.run(functools.partial(self._gradients, active), args=batch)
        if self.loss_scale is None:
            self._apply(active, gradients)
        else:
            finite = tf.math.is_finite(self.strategy.experimental_local_results(
                self.strategy.run(tf.linalg.global_norm, args=(gradients,)))[0])
            self.loss_scale.update(finite)
            tf.cond(finite, lambda: self._apply(active, gradients), lambda: None)
        return tuple(self.strategy.experimental_local_results(value)[0] for value in (loss, accuracy))

    def _gradients(self, active, *batch):
        """Returns loss, accuracy and gradients, float32, of the global batch: the same on every replica."""
        variables = self.optimizer.trained(active)

        def compute(images, labels, *targets):
            with tf.GradientTape(watch_accessed_variables=False) as tape:  # nothing goes back beyond what learns
                tape.watch(variables)
                losses, correct = self.objective(images, labels, True, *targets)
                loss = tf.reduce_mean(losses) + self._penalty()
                scaled = loss if self.loss_scale is None else loss * self.loss_scale.value
            gradients = tape.gradient(scaled, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            if self.num_micro_batches > 1 or self.loss_scale is not None:
                gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]  # those of sampled classes are sparse
            return loss, tf.reduce_mean(correct), *gradients

        zeros = [tf.zeros([]), tf.zeros([]), *(tf.zeros(variable.shape, variable.dtype) for variable in variables)]
        loss, accuracy, *gradients = accumulate_gradients(compute, batch, self.num_micro_batches, zeros)
        if self.strategy.num_replicas_in_sync > 1:
            loss, accuracy, *gradients = tf.distribute.get_replica_context().all_reduce(
                tf.distribute.ReduceOp.MEAN, [loss, accuracy, *gradients])
        loss = tf.debugging.check_numerics(loss, "the loss is not finite")
        if self.loss_scale is not None:
            with tf.control_dependencies([loss]):
                return loss, accuracy, self.loss_scale.unscale(gradients)
        with tf.control_dependencies([loss]):
            norm = tf.debugging.check_numerics(tf.linalg.global_norm(gradients), "a gradient is not finite")
        with tf.control_dependencies([norm]):
            return loss, accuracy, [tf.identity(gradient) for gradient in gradients]

    def _penalty(self) -> tf.Tensor | float:
        penalties = [] if self.model is None else self.model.losses
        return tf.add_n([tf.cast(penalty, tf.float32) for penalty in penalties]) if penalties else 0.0

    def _apply(self, active, gradients) -> None:
        self.strategy.run(lambda gradients: self.optimizer.apply(gradients, active), args=(gradients,))
        if self.ema is not None:
            self.strategy.run(self.ema.update, args=(tf.convert_to_tensor(self.run_step),))
