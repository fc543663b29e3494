"""Exponential moving average (EMA) of a model's weights."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf


class ExponentialMovingAverage(tf.Module):
    """Exponential moving averages of all weights of a model, BatchNorm statistics included (Polyak averaging).

        average <- m average + (1 - m) weight,  m = min(momentum, (1 + step) / (10 + step))

    The lower m of the first steps, as in `tf.train.ExponentialMovingAverage`, lets a short run forget its initial weights.

    Args:
        model: Built model.
        momentum: Largest m.

    Attributes:
        values: The averages, one variable per floating-point weight.
    """

    def __init__(self, model: tf.keras.Model, momentum: float = 0.0):
        super().__init__(name="ema")
        self._weights = tuple(weight for weight in model.weights if weight.dtype.is_floating)
        self._momentum = momentum
        self.values = [_average_variable(weight) for weight in self._weights]

    def reset(self) -> None:
        """Sets the averages to the model's current weights."""
        for average, weight in zip(self.values, self._weights, strict=True):
            average.assign(weight)

    def update(self, step: tf.Tensor) -> None:
        """Moves the averages after a training step, on each replica.

        Args:
            step: int [], number of steps made before this one.
        """
        step = tf.cast(step, tf.float32)
        momentum = tf.minimum(self._momentum, (1 + step) / (10 + step))
        for average, weight in zip(self.values, self._weights, strict=True):
            average.assign(momentum * average + (1 - momentum) * weight)

    def copy_to_model(self) -> None:
        """Overwrites the model's weights with their averages."""
        for average, weight in zip(self.values, self._weights, strict=True):
            weight.assign(average)

    @contextlib.contextmanager
    def applied_to_model(self) -> Iterator[None]:
        """Context manager in which the averages stand in the model; its own weights come back afterwards."""
        backup = [tf.identity(weight) for weight in self._weights]
        self.copy_to_model()
        try:
            yield
        finally:
            for weight, value in zip(self._weights, backup, strict=True):
                weight.assign(value)


def _average_variable(weight: tf.Variable) -> tf.Variable:
    """Returns a variable that each replica updates by itself; for BatchNorm statistics the replicas' mean is saved."""
    same_on_replicas = weight.synchronization != tf.VariableSynchronization.ON_READ
    aggregation = tf.VariableAggregation.ONLY_FIRST_REPLICA if same_on_replicas else tf.VariableAggregation.MEAN
    return tf.Variable(tf.convert_to_tensor(weight), trainable=False, synchronization=tf.VariableSynchronization.ON_READ,
                       aggregation=aggregation)
