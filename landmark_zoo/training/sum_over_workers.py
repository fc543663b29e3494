"""Numbers that the workers of a run add up."""

import functools
from collections.abc import Callable

import tensorflow as tf

from landmark_zoo.training.place import Place


def sum_over_workers(*values: float) -> tuple[float, ...]:
    """Returns the sums of each worker's values; with one worker the values themselves.

    All workers must call it at the same place: none goes on before the last has arrived.
    """
    place = Place.here()
    if place.num_workers == 1:
        return tuple(map(float, values))
    reduce = _reducer(tf.distribute.get_strategy(), place.num_workers)
    return tuple(reduce(tf.constant(values, tf.float64)).numpy())


def of_chief(value: float) -> float:
    """Returns the chief's value on every worker."""
    return sum_over_workers(value if Place.here().is_chief else 0)[0]


@functools.lru_cache(maxsize=1)
def _reducer(strategy: tf.distribute.Strategy, num_workers: int) -> Callable[[tf.Tensor], tf.Tensor]:
    @tf.function(reduce_retracing=True)
    def reduce(values: tf.Tensor) -> tf.Tensor:
        every = strategy.run(tf.identity, args=(values,))
        return num_workers * strategy.reduce(tf.distribute.ReduceOp.MEAN, every, axis=None)

    return reduce
