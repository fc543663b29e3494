"""One step of training, on all replicas."""

import functools

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.accumulate import mean_over_parts
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.grouped_optimizer import GroupedOptimizer
from landmark_zoo.training.loss_scale import LossScale
from landmark_zoo.training.objectives.base import Objective
from landmark_zoo.training.weight_averages import WeightAverages


class TrainStep:
    """Takes the gradient of the mean loss of a batch and moves the weights, their averages and the loss scale.

    Args:
        objective: Losses of a batch.
        optimizer: What moves.
        run_step: Counted up by each call.
        config: Accumulation and precision.
        loss_scale: For float16; None elsewhere.
        averages: None for none.
        model: Its layers' own penalties (the L2 of DELF's and DELG's attention) are added to the loss; None for none.
    """

    def __init__(self, objective: Objective, optimizer: GroupedOptimizer, run_step: tf.Variable, config: TrainingConfig,
                 loss_scale: LossScale | None = None, averages: WeightAverages | None = None,
                 model: tf.keras.Model | None = None):
        self.objective, self.optimizer, self.run_step = objective, optimizer, run_step
        self.parts, self.loss_scale, self.averages = config.accumulate, loss_scale, averages
        self.model, self.strategy = model, tf.distribute.get_strategy()
        self._replicas = self.strategy.num_replicas_in_sync
        self._functions = {}

    def __call__(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[float, float]:
        """Makes a step.

        Args:
            images: [B, H, W, 3], or one such tensor per replica of this process.
            labels: int32 [B], likewise.

        Returns:
            Loss and accuracy, means over the batch.

        Raises:
            UserError: Loss or gradient are not finite; nothing has moved.
        """
        active = self.optimizer.active(int(self.run_step.numpy()))
        if active not in self._functions:
            self._functions[active] = tf.function(functools.partial(self._step, active), reduce_retracing=True)
        try:
            loss, accuracy = self._functions[active](images, labels)
        except tf.errors.InvalidArgumentError as error:
            if "not finite" not in str(error):
                raise
            what = "loss" if "loss is not finite" in str(error) else "gradient"
            raise UserError(f"a finite {what}", f"NaN or infinity at step {int(self.run_step.numpy()) + 1}",
                            "Lower --learning_rate or set --clip_norm; the last checkpoint is from before.") from error
        self.run_step.assign_add(1)
        return float(loss), float(accuracy)

    def _step(self, active, images, labels):
        loss, accuracy, gradients = self.strategy.run(functools.partial(self._gradients, active), args=(images, labels))
        if self.loss_scale is None:
            self._apply(active, gradients)
        else:
            finite = tf.math.is_finite(self.strategy.experimental_local_results(
                self.strategy.run(tf.linalg.global_norm, args=(gradients,)))[0])
            self.loss_scale.update(finite)
            tf.cond(finite, lambda: self._apply(active, gradients), lambda: None)
        return tuple(self.strategy.experimental_local_results(value)[0] for value in (loss, accuracy))

    def _gradients(self, active, images, labels):
        """Returns loss, accuracy and gradients, float32, of the whole batch: the same on every replica."""
        variables = self.optimizer.trained(active)

        def compute(images, labels):
            with tf.GradientTape() as tape:
                losses, correct = self.objective(images, labels, training=True)
                loss = tf.reduce_mean(losses) + self._penalty()
                scaled = loss if self.loss_scale is None else loss * self.loss_scale.value
            gradients = tape.gradient(scaled, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            if self.parts > 1 or self.loss_scale is not None:
                gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]  # those of sampled classes are sparse
            return loss, tf.reduce_mean(correct), *gradients

        zeros = [tf.zeros([]), tf.zeros([]), *(tf.zeros(variable.shape, variable.dtype) for variable in variables)]
        loss, accuracy, *gradients = mean_over_parts(compute, images, labels, self.parts, zeros)
        if self._replicas > 1:
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
        if self.averages is not None:
            self.strategy.run(self.averages.update, args=(tf.convert_to_tensor(self.run_step),))
