"""Where this process stands among those that train together."""

from dataclasses import dataclass

import tensorflow as tf

from landmark_zoo.data.share import Share


@dataclass(frozen=True)
class Place:
    """One worker of a run.

    Attributes:
        num_workers: Processes that train together.
        worker: Which of them this is, from 0.
        replicas: Devices of all of them; each holds the whole model.
    """

    num_workers: int = 1
    worker: int = 0
    replicas: int = 1

    @classmethod
    def here(cls) -> "Place":
        """Returns the place that the current strategy of `tf.distribute` gives this process."""
        strategy = tf.distribute.get_strategy()
        resolver = strategy.cluster_resolver
        if resolver is None:
            return cls(replicas=strategy.num_replicas_in_sync)
        return cls(resolver.cluster_spec().num_tasks("worker"), resolver.task_id, strategy.num_replicas_in_sync)

    @property
    def is_chief(self) -> bool:
        """Whether this is the one process that writes files and logs."""
        return self.worker == 0

    @property
    def share(self) -> Share:
        """What it reads of every batch."""
        return Share(self.num_workers, self.worker, self.replicas // self.num_workers)
