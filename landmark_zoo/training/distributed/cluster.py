"""The workers of a training job, as TF_CONFIG or the Slurm step names them, and the GPUs of each.

`tf_config_cluster` and `slurm_cluster` read the environment into a `Cluster`; `assign_gpus` gives a task its part of the
node's GPUs.
"""

import itertools
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.strict_json import parse_json


@dataclass(frozen=True)
class Cluster:
    """Addresses of all workers in the order of their ranks, and this process's rank; the chief is worker 0.

    Attributes:
        addresses: "host:port" of each worker.
        rank: Rank of this process.
        job: Identifier that tells this job's workers from another's.

    Raises:
        UserError: An address that is none or comes twice, or a rank without an address.
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

    def host_port(self, rank: int) -> tuple[str, int]:
        """Returns host and port of the worker with this rank."""
        host, _, port = self.addresses[rank].rpartition(":")
        return host, int(port)

    def name(self, rank: int) -> str:
        """Returns the name that messages give to a worker."""
        return f"worker {rank} ({self.addresses[rank]})"

    def resolver(self, gpus: int) -> tf.distribute.cluster_resolver.ClusterResolver:
        """Returns the cluster resolver of `MultiWorkerMirroredStrategy` for a process with so many GPUs."""
        return tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": list(self.addresses)}), task_type="worker", task_id=self.rank,
            num_accelerators={"GPU": gpus} if gpus else {}, rpc_layer="grpc")


def tf_config_cluster(environ: Mapping[str, str]) -> Cluster | None:
    """Returns the workers of TF_CONFIG, the chief first; None where it names one worker or is not set.

    Args:
        environ: Environment of the process.

    Raises:
        UserError: It cannot be read or has other tasks than chief and workers.
    """
    text = environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        config = parse_json(text)
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


def expand_hostlist(text: str) -> list[str]:
    """Returns the host names of a Slurm host list, in Slurm's order, which need not be alphabetical.

    Args:
        text: Host list, as in SLURM_STEP_NODELIST; several brackets in a name multiply, the last one runs fastest.

    Raises:
        UserError: Not a host list.

    Example:
        >>> expand_hostlist("gpu[08-10,12]-ib,login")
        ['gpu08-ib', 'gpu09-ib', 'gpu10-ib', 'gpu12-ib', 'login']
    """
    hosts = []
    for name in _split_names(text):
        pieces = re.split(r"\[([^\[\]]+)\]", name)
        if any(re.search(r"[\[\]\s]", piece) for piece in pieces):
            raise _hostlist_error(text)
        choices = [_expand_ranges(piece, text) if index % 2 else [piece] for index, piece in enumerate(pieces)]
        hosts += ["".join(choice) for choice in itertools.product(*choices)]
    return hosts


def slurm_hosts(text: str) -> list[str]:
    """Returns the host names of a Slurm host list by `scontrol show hostnames`, or by `expand_hostlist` without it."""
    if shutil.which("scontrol"):
        done = subprocess.run(["scontrol", "show", "hostnames", text], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.split():
            return done.stdout.split()
    return expand_hostlist(text)


def _split_names(text: str) -> list[str]:
    """Splits a host list at the commas outside brackets."""
    names = re.findall(r"(?:[^,\[]|\[[^\]]*\])+", text.strip())
    if not names or ",".join(names) != text.strip():
        raise _hostlist_error(text)
    return names


def _expand_ranges(ranges: str, text: str) -> list[str]:
    """Returns the numbers of e.g. "08-10,12" with their leading zeros."""
    numbers = []
    for each in ranges.split(","):
        first, _, last = each.partition("-")
        last = last or first
        if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
            raise _hostlist_error(text)
        numbers += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return numbers


def _hostlist_error(text: str) -> UserError:
    return UserError('a list of hosts such as "node[1-2]" from Slurm', repr(text), "Start with srun.")


FIRST_PORT, NUM_PORTS, PORTS_PER_JOB = 12_000, 20_480, 64  # below 32,768, where Linux's ports of outgoing connections begin


def slurm_cluster(environ: Mapping[str, str]) -> Cluster | None:
    """Returns the workers of the Slurm step of this process; None where it is the only task or there is no step.

    Ranks and hosts are in Slurm's order. Worker r listens on port 12,000 + (64 job + r) mod 20,480 of its host, so that jobs
    that share a host do not meet.

    Args:
        environ: Environment of the process, as `srun` sets it.

    Raises:
        UserError: Several tasks were asked for but `srun` did not start this process, or not node after node.
    """
    if "SLURM_PROCID" not in environ:
        return None
    tasks = int(environ.get("SLURM_STEP_NUM_TASKS", 1))
    if "SLURM_STEP_NUM_TASKS" not in environ and int(environ.get("SLURM_NTASKS", 1)) > 1:
        raise UserError(f"a process of srun, one of {environ['SLURM_NTASKS']} tasks", "one that sbatch started itself",
                        "Write srun before the command, or give --distribution=single.")
    if tasks == 1:
        return None
    hosts = slurm_hosts(_required(environ, "SLURM_STEP_NODELIST"))
    counts = tasks_per_node(_required(environ, "SLURM_STEP_TASKS_PER_NODE"))
    rank, job = int(environ["SLURM_PROCID"]), int(_required(environ, "SLURM_JOB_ID"))
    block_order = [(node, local_rank) for node, count in enumerate(counts) for local_rank in range(count)]
    if len(counts) != len(hosts) or len(block_order) != tasks:
        raise UserError(f"{tasks} tasks on {len(hosts)} hosts", f"{counts} tasks on them", "Start with srun.")
    expected = block_order[rank]
    found = (int(environ.get("SLURM_NODEID", expected[0])), int(environ.get("SLURM_LOCALID", expected[1])))
    if found != expected:
        raise UserError(f"task {rank} to be task {expected[1]} of {hosts[expected[0]]}",
                        f"task {found[1]} of {hosts[found[0]]}", "Start with srun --distribution=block.")
    return Cluster(tuple(f"{hosts[node]}:{port(job, each)}" for each, (node, _) in enumerate(block_order)), rank, str(job))


def port(job: int, rank: int) -> int:
    """Returns the port of the worker with this rank in a Slurm job."""
    return FIRST_PORT + (PORTS_PER_JOB * job + rank) % NUM_PORTS


def tasks_per_node(text: str) -> list[int]:
    """Returns the number of tasks on each node.

    Args:
        text: Numbers of tasks, as in SLURM_STEP_TASKS_PER_NODE.

    Example:
        >>> tasks_per_node("2(x3),1")
        [2, 2, 2, 1]
    """
    counts = []
    for group in text.split(","):
        match = re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", group.strip())
        if not match:
            raise UserError('SLURM_STEP_TASKS_PER_NODE such as "2(x3),1"', repr(text), "Start with srun.")
        counts += [int(match[1])] * int(match[2] or 1)
    return counts


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise UserError(f"{name} in the environment", "none", "Start with srun.")
    return environ[name]


def assign_gpus(environ: Mapping[str, str]) -> int:
    """Makes this task's GPUs the only visible ones, lets their memory grow as needed, and returns their number."""
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        gpus = [gpus[index] for index in local_gpus(len(gpus), environ)]
        tf.config.set_visible_devices(gpus, "GPU")
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    return len(gpus)


def local_gpus(visible: int, environ: Mapping[str, str]) -> range:
    """Returns the indices of the visible GPUs that belong to this task.

    Where Slurm gave the task some of the node's GPUs (CUDA_VISIBLE_DEVICES), all that it sees; where each of the node's
    tasks sees all of them, an equal part by SLURM_LOCALID.

    Args:
        visible: Number of GPUs that this process sees.
        environ: Environment of the process.

    Raises:
        UserError: The node's tasks cannot share its GPUs evenly.
    """
    on_node, local = int(environ.get("SLURM_GPUS_ON_NODE") or 0), int(environ.get("SLURM_LOCALID") or 0)
    tasks = _tasks_on_this_node(environ)
    if tasks == 1 or visible < on_node or not on_node:
        return range(visible)
    if visible % tasks:
        raise UserError(f"GPUs that the node's {tasks} tasks can share evenly", str(visible),
                        "Ask for one task per node or per GPU.")
    each = visible // tasks
    return range(local * each, (local + 1) * each)


def _tasks_on_this_node(environ: Mapping[str, str]) -> int:
    counts = environ.get("SLURM_STEP_TASKS_PER_NODE")
    return tasks_per_node(counts)[int(environ.get("SLURM_NODEID") or 0)] if counts else 1
