"""A running mean of a model's weights."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf


class WeightAverages(tf.Module):
    """Exponential moving averages of all weights of a model, BatchNorm statistics included (Polyak averaging).

        average <- m average + (1 - m) weight,  m = min(momentum, (1 + step) / (10 + step))

    The lower m of the first steps, that of `tf.train.ExponentialMovingAverage`, lets a short run forget where it started.

    Args:
        model: Built.
        momentum: The highest m.
    """

    def __init__(self, model: tf.keras.Model, momentum: float = 0.0):
        super().__init__(name="weight_averages")
        self._weights = tuple(weight for weight in model.weights if weight.dtype.is_floating)
        self._momentum = momentum
        self.values = [_average_of(weight) for weight in self._weights]

    def start(self) -> None:
        """Sets the averages to the weights as they are."""
        for average, weight in zip(self.values, self._weights, strict=True):
            average.assign(weight)

    def update(self, step: tf.Tensor) -> None:
        """Follows a step of training, on each replica; `step` int [] is how many were made before it."""
        step = tf.cast(step, tf.float32)
        momentum = tf.minimum(self._momentum, (1 + step) / (10 + step))
        for average, weight in zip(self.values, self._weights, strict=True):
            average.assign(momentum * average + (1 - momentum) * weight)

    def put_into_model(self) -> None:
        """Overwrites the model's weights with their averages."""
        for average, weight in zip(self.values, self._weights, strict=True):
            weight.assign(average)

    @contextlib.contextmanager
    def in_model(self) -> Iterator[None]:
        """Has the averages stand in the model until the block ends."""
        kept = [tf.identity(weight) for weight in self._weights]
        self.put_into_model()
        try:
            yield
        finally:
            for weight, value in zip(self._weights, kept, strict=True):
                weight.assign(value)


def _average_of(weight: tf.Variable) -> tf.Variable:
    """Returns a variable that each replica moves by itself; of BatchNorm statistics the replicas' mean is what is saved."""
    alike = weight.synchronization != tf.VariableSynchronization.ON_READ
    aggregation = tf.VariableAggregation.ONLY_FIRST_REPLICA if alike else tf.VariableAggregation.MEAN
    return tf.Variable(tf.convert_to_tensor(weight), trainable=False, synchronization=tf.VariableSynchronization.ON_READ,
                       aggregation=aggregation)
