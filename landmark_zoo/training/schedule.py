"""The learning rate over a run."""

import math

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class WarmupCosine(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 to `peak` over `warmup_steps`, then falls as a half cosine to 0 at `total_steps`.

    Args:
        peak: The highest rate.
        total_steps: When the rate is 0 again.
        warmup_steps: How many steps the rise takes; the first step's rate is peak / warmup_steps.
    """

    def __init__(self, peak: float, total_steps: int, warmup_steps: int = 0):
        if not 0 <= warmup_steps < max(total_steps, 1):
            raise ValueError(f"WarmupCosine: expected 0 <= warmup_steps < total_steps; "
                             f"received {warmup_steps} and {total_steps}.")
        self.peak, self.total_steps, self.warmup_steps = peak, total_steps, warmup_steps

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        rise = (step + 1) / max(self.warmup_steps, 1)
        done = (step - self.warmup_steps) / max(self.total_steps - self.warmup_steps, 1)
        fall = (1 + tf.cos(math.pi * tf.clip_by_value(done, 0.0, 1.0))) / 2
        return self.peak * tf.where(step < self.warmup_steps, rise, fall)

    def get_config(self):
        return {"peak": self.peak, "total_steps": self.total_steps, "warmup_steps": self.warmup_steps}
