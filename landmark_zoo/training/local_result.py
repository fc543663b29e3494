"""A computation on one device of this process."""

from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

Result = TypeVar("Result")


def local_result(function: Callable[..., Result], *arguments: tf.Tensor) -> Result:
    """Calls a function of tensors where a replica stands and returns what the first device of this process gives.

    There BatchNorm's statistics, of which each replica has its own, are read without asking the other workers: the call need
    not be made by all of them. Without a strategy it is `function(*arguments)`.
    """
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return function(*arguments)
    results = strategy.run(function, args=arguments)
    return tf.nest.map_structure(lambda result: strategy.experimental_local_results(result)[0], results)
