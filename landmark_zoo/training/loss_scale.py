"""The loss scale of training in float16."""

import tensorflow as tf

START, GROW_AFTER = 2.0**15, 2000


class LossScale(tf.Module):
    """What a loss is multiplied with so that its gradients do not vanish in float16.

    As in Micikevicius et al., Mixed Precision Training, ICLR 2018, section 3.2, with the numbers of Keras'
    `LossScaleOptimizer`: halved, down to 1, after each step whose gradients overflow, which is left out; doubled after
    2,000 steps in a row without.
    """

    def __init__(self):
        super().__init__(name="loss_scale")
        self.value = tf.Variable(START, trainable=False, name="value")
        self.good_steps = tf.Variable(0, dtype=tf.int64, trainable=False, name="good_steps")

    def unscale(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the gradients of the loss itself, float32."""
        return [tf.cast(gradient, tf.float32) / self.value for gradient in gradients]

    def update(self, finite: tf.Tensor) -> None:
        """Follows a step.

        Args:
            finite: bool [], whether its gradients were.

        Raises:
            InvalidArgumentError: "a gradient is not finite", at a scale that cannot be lowered.
        """
        tf.debugging.Assert(finite | (self.value > 1), ["a gradient is not finite"])
        good = tf.where(finite, self.good_steps + 1, 0)
        grows = good >= GROW_AFTER
        self.value.assign(tf.where(finite, tf.where(grows, 2 * self.value, self.value), tf.maximum(self.value / 2, 1)))
        self.good_steps.assign(tf.where(grows, tf.zeros_like(good), good))
