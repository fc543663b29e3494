"""The tasks of a Slurm step."""

import re
from collections.abc import Mapping

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.cluster import Cluster
from landmark_zoo.training.hostlist import slurm_hosts

FIRST_PORT, PORTS, PORTS_OF_A_JOB = 12_000, 20_480, 64  # below 32,768, from where Linux gives ports to outgoing connections


def slurm_step(environ: Mapping[str, str]) -> Cluster | None:
    """Returns the workers of the step that this process belongs to; None where it is its only task or there is none.

    Ranks, and hosts in Slurm's own order. Worker r listens on its host's port 12,000 + (64 job + r) mod 20,480, so that jobs
    that share a host do not meet.

    Args:
        environ: Of the process, as `srun` sets it.

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
    hosts = slurm_hosts(_needed(environ, "SLURM_STEP_NODELIST"))
    counts = tasks_per_node(_needed(environ, "SLURM_STEP_TASKS_PER_NODE"))
    rank, job = int(environ["SLURM_PROCID"]), int(_needed(environ, "SLURM_JOB_ID"))
    places = [(node, task) for node, count in enumerate(counts) for task in range(count)]
    if len(counts) != len(hosts) or len(places) != tasks:
        raise UserError(f"{tasks} tasks on {len(hosts)} hosts", f"{counts} tasks on them", "Start with srun.")
    here = (int(environ.get("SLURM_NODEID", places[rank][0])), int(environ.get("SLURM_LOCALID", places[rank][1])))
    if here != places[rank]:
        raise UserError(f"task {rank} to be task {places[rank][1]} of {hosts[places[rank][0]]}",
                        f"task {here[1]} of {hosts[here[0]]}", "Start with srun --distribution=block.")
    return Cluster(tuple(f"{hosts[node]}:{port(job, number)}" for number, (node, _) in enumerate(places)), rank, str(job))


def port(job: int, rank: int) -> int:
    """Returns the port of a worker."""
    return FIRST_PORT + (PORTS_OF_A_JOB * job + rank) % PORTS


def tasks_per_node(text: str) -> list[int]:
    """Returns the counts of e.g. "2(x3),1", as in SLURM_STEP_TASKS_PER_NODE."""
    counts = []
    for word in text.split(","):
        match = re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", word.strip())
        if not match:
            raise UserError('SLURM_STEP_TASKS_PER_NODE such as "2(x3),1"', repr(text), "Start with srun.")
        counts += [int(match[1])] * int(match[2] or 1)
    return counts


def _needed(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise UserError(f"{name} in the environment", "none", "Start with srun.")
    return environ[name]
