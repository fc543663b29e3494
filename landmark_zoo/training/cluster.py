"""The processes that train together: who they are and where they listen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import tensorflow as tf

from landmark_zoo.core.errors import UserError


@dataclass(frozen=True)
class Cluster:
    """Workers in the order of their ranks; the chief is worker 0.

    Attributes:
        addresses: "host:port" of each.
        rank: Which of them this process is.
        job: What tells this job's workers from another's.
    """

    addresses: tuple[str, ...]
    rank: int
    job: str = ""

    def __post_init__(self):
        if not 0 <= self.rank < len(self.addresses) or len(set(self.addresses)) < len(self.addresses):
            raise UserError(f"unlike addresses and a rank below {len(self.addresses)}",
                            f"{', '.join(self.addresses)} and rank {self.rank}", "Start with srun, or mend TF_CONFIG.")
        for address in self.addresses:
            host, colon, port = address.rpartition(":")
            if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
                raise UserError("addresses such as node1:12345", repr(address), "Mend TF_CONFIG.")

    def place(self, rank: int) -> tuple[str, int]:
        """Returns the host and the port of a worker."""
        host, _, port = self.addresses[rank].rpartition(":")
        return host, int(port)

    def name(self, rank: int) -> str:
        """Returns how messages call a worker."""
        return f"worker {rank} ({self.addresses[rank]})"

    def resolver(self, gpus: int) -> tf.distribute.cluster_resolver.ClusterResolver:
        """Returns what `MultiWorkerMirroredStrategy` wants to know, with the number of GPUs of this process."""
        return tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": list(self.addresses)}), task_type="worker", task_id=self.rank,
            num_accelerators={"GPU": gpus} if gpus else {}, rpc_layer="grpc")


def tf_config_cluster(environ: Mapping[str, str]) -> Cluster | None:
    """Returns the workers of TF_CONFIG, a chief among them first; None where it names one worker or is not set.

    Raises:
        UserError: It cannot be read or has other tasks than chief and workers.
    """
    text = environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        config = json.loads(text)
        jobs, task = config.get("cluster", {}), config.get("task", {})
        chief, workers = list(jobs.get("chief", [])), list(jobs.get("worker", []))
        if set(jobs) - {"chief", "worker"} or len(chief) > 1 or (jobs and task["type"] not in jobs):
            raise ValueError("other tasks than chief and workers")
        if len(chief) + len(workers) < 2:
            return None
        rank = int(task["index"]) + (len(chief) if task["type"] == "worker" else 0)
        return Cluster((*chief, *workers), rank, "TF_CONFIG")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError('TF_CONFIG such as {"cluster": {"worker": ["node1:12345", "node2:12345"]}, '
                        '"task": {"type": "worker", "index": 0}}', f"{text} ({error})", "Mend or unset it.") from error
