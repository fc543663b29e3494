"""Rank and world size of this worker, and the collective operations of a training run.

`all_gather` works inside a step, between replicas, and has a gradient; `all_reduce_sum`, `sum_over_workers` and `broadcast`
work between steps, on plain numbers of the workers. With a single device all of them hand back their argument.
"""

import functools
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import tensorflow as tf

from landmark_zoo.data.input_pipeline import InputShard


@dataclass(frozen=True)
class WorkerInfo:
    """Rank and world size of this worker.

    Attributes:
        world_size: Number of processes that train together.
        rank: Number of this process, from 0; the chief is 0.
        num_replicas: Number of devices of all processes together; each holds the whole model.
    """

    world_size: int = 1
    rank: int = 0
    num_replicas: int = 1

    @classmethod
    def current(cls) -> "WorkerInfo":
        """Returns rank and world size under the current strategy of `tf.distribute`."""
        strategy = tf.distribute.get_strategy()
        resolver = strategy.cluster_resolver
        if resolver is None:
            return cls(num_replicas=strategy.num_replicas_in_sync)
        return cls(resolver.cluster_spec().num_tasks("worker"), resolver.task_id, strategy.num_replicas_in_sync)

    @property
    def is_chief(self) -> bool:
        """True for rank 0, the one process that writes files and logs."""
        return self.rank == 0

    @property
    def input_shard(self) -> InputShard:
        """The rows of each global batch that this worker reads, in one piece for each of its devices."""
        return InputShard(self.world_size, self.rank, self.num_replicas // self.world_size)


def all_gather(rows: tf.Tensor) -> tf.Tensor:
    """Differentiable all-gather: the rows of all replicas, in the order of the replicas; `rows` itself on one replica.

    The gradient of a row goes back to the replica that it came from: the mean over the replicas of the gradients of a loss
    on all rows is the gradient of that loss.

    Args:
        rows: [b, ...], of the same shape on every replica.

    Returns:
        [num_replicas * b, ...].
    """
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return rows
    gathered = replica.all_gather(tf.identity(rows), axis=0)  # an argument of the step itself lies on no device
    gathered.set_shape([None, *rows.shape[1:]])
    return gathered


Result = TypeVar("Result")


def run_on_local_replica(function: Callable[..., Result], *arguments: tf.Tensor) -> Result:
    """Calls a function of tensors in replica context and returns the result of this process's first device.

    BatchNorm statistics, of which each replica has its own, are read there without asking the other workers, so that not all
    of them need to make the call. Without a strategy it is `function(*arguments)`.
    """
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return function(*arguments)
    results = strategy.run(function, args=arguments)
    return tf.nest.map_structure(lambda result: strategy.experimental_local_results(result)[0], results)


def all_reduce_sum(*values: float) -> tuple[float, ...]:
    """Returns the sum over all workers of each value, as floats; with one worker the values themselves.

    All workers must call it at the same point of the program: none goes on before the last has arrived.

    Example:
        >>> all_reduce_sum(1, True, 2.5)
        (1.0, 1.0, 2.5)
    """
    return tuple(sum_over_workers(np.array(values, np.float64)).tolist())


def sum_over_workers(array: np.ndarray) -> np.ndarray:
    """Returns the sum over all workers of a float array of one shape, a barrier like `all_reduce_sum`; alone the array."""
    world_size = WorkerInfo.current().world_size
    if world_size == 1:
        return array
    return _reducer(tf.distribute.get_strategy(), world_size)(tf.constant(array)).numpy()


def broadcast(value: float) -> float:
    """Returns the chief's value on every worker."""
    return all_reduce_sum(value if WorkerInfo.current().is_chief else 0)[0]


@functools.lru_cache(maxsize=1)
def _reducer(strategy: tf.distribute.Strategy, world_size: int) -> Callable[[tf.Tensor], tf.Tensor]:
    @tf.function(reduce_retracing=True, autograph=False)
    def reduce(values: tf.Tensor) -> tf.Tensor:
        per_replica = strategy.run(tf.identity, args=(values,))
        return world_size * strategy.reduce(tf.distribute.ReduceOp.MEAN, per_replica, axis=None)

    return reduce


def distribute_dataset(batches: tf.data.Dataset, steps: int) -> Iterable:
    """Returns an iterable of what a training step takes: a batch, or one per device of this process.

    TensorFlow shards nothing: `batches` holds this worker's rows already, cut into per-replica batches (`data.InputShard`).

    Args:
        batches: One per-replica batch for each step and device of this process.
        steps: Number of steps, the same on every worker. A known number saves a question to all workers at each step.
    """
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return batches
    endless = batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    return itertools.islice(strategy.distribute_datasets_from_function(lambda _: endless), steps)
