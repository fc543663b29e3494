"""Nodes of a cluster: what part "machine" of the self-test finds on each, and the verdict on cards, driver and CUDA."""

import dataclasses
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from experiments.benchmarks.cluster import capability, cards_seen
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.core.provenance import versions
from landmark_zoo.training.distributed.cluster import assign_gpus, slurm_cluster, tf_config_cluster

FIRST_DRIVER = {11: 450, 12: 525, 13: 580}  # NVIDIA, CUDA Compatibility, minor version compatibility, table 1
MACHINE = {"versions": {str: str}, "cuda": str, "cudnn": str, "build": [str], "given": int,
           "cards": [{"name": str, "capability": str}], "right": [bool],
           "smi": [{"driver": str, "memory_mib": int, "name": str}], "seconds": float, "cores": int, "memory_gib": float,
           "interface": str}  # form of a node's facts


def examine_machine(folder: Path) -> None:
    """Part "machine", on every node: versions, driver, the cards that were given and those that TensorFlow sees."""
    cluster = slurm_cluster(os.environ) or tf_config_cluster(os.environ)
    build, cards, smi = tf.sysconfig.get_build_info(), cards_seen(), _nvidia_smi()
    start, right = time.perf_counter(), []
    for index in range(assign_gpus(os.environ)):
        with tf.device(f"GPU:{index}"):
            convolved = tf.nn.conv2d(tf.ones([1, 8, 8, 3]), tf.ones([3, 3, 3, 4]), 1, "VALID")
            product = tf.ones([64, 64]) @ tf.ones([64, 64])
            right.append(bool(tf.reduce_all(convolved == 27.0) & tf.reduce_all(product == 64.0)))
    write_json(folder / "facts" / f"machine-{0 if cluster is None else cluster.rank}.json", {
        "versions": versions(), "cuda": str(build.get("cuda_version", "")), "cudnn": str(build.get("cudnn_version", "")),
        "build": [str(each) for each in build.get("cuda_compute_capabilities", [])],
        "given": cards_given(os.environ, len(smi)), "cards": cards, "right": right, "smi": smi,
        "seconds": time.perf_counter() - start, "cores": len(os.sched_getaffinity(0)),
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "interface": os.environ.get("NCCL_SOCKET_IFNAME", "")})


def cards_given(environ: Mapping[str, str], on_machine: int) -> int:
    """Returns the number of cards that Slurm, or CUDA_VISIBLE_DEVICES, gives to this process.

    Args:
        environ: Environment of the process.
        on_machine: Number of cards that nvidia-smi shows, for where the environment does not say.

    Example:
        >>> cards_given({"SLURM_GPUS_ON_NODE": "4"}, 8), cards_given({"CUDA_VISIBLE_DEVICES": "-1"}, 8), cards_given({}, 8)
        (4, 0, 8)
    """
    if environ.get("SLURM_GPUS_ON_NODE", "").isdecimal():
        return int(environ["SLURM_GPUS_ON_NODE"])
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return 0 if "SLURM_JOB_ID" in environ else on_machine
    return len([each for each in visible.split(",") if each.strip() and each.strip() not in ("-1", "NoDevFiles")])


def _nvidia_smi() -> list[dict[str, object]]:
    command = ["nvidia-smi", "--query-gpu=driver_version,memory.total,name", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [] if done.returncode else parse_nvidia_smi(done.stdout)


def parse_nvidia_smi(text: str) -> list[dict[str, object]]:
    """Returns driver, memory in MiB and name of each card in nvidia-smi's table; other lines are left out.

    Example:
        >>> parse_nvidia_smi("535.183.01, 40960, NVIDIA A100-SXM4-40GB")
        [{'driver': '535.183.01', 'memory_mib': 40960, 'name': 'NVIDIA A100-SXM4-40GB'}]
    """
    found = (re.fullmatch(r"\s*(\d[\d.]*)\s*,\s*(\d+)\s*,\s*(\S.*?)\s*", line) for line in text.splitlines())
    return [{"driver": match[1], "memory_mib": int(match[2]), "name": match[3]} for match in found if match]


@dataclasses.dataclass(frozen=True)
class Check:
    """Verdict on one property of a cluster.

    Attributes:
        subject: Name of what was checked.
        ok: Whether it is as it should be.
        text: Finding, or what was expected, what was received and what to do.
    """

    subject: str
    ok: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok' if self.ok else 'NOT OK':<7}{self.subject}: {self.text}"


def failed(subject: str, expected: str, received: str, remedy: str) -> Check:
    """Returns the check of a property that is not as expected."""
    return Check(subject, False, str(UserError(expected, received, remedy)))


def check_machines(machines: Sequence[Mapping[str, Any] | None]) -> Iterator[Check]:
    """Yields the checks of cards, driver and kernels of each node, and of nodes that are not alike.

    Args:
        machines: Facts of each node; None where they are absent or damaged.
    """
    for rank, machine in enumerate(machines):
        if machine is None:
            yield failed(f"node {rank}", "facts of this node", "none", "Read the lines of part machine in the log above.")
    known = {rank: machine for rank, machine in enumerate(machines) if machine is not None}
    kinds = {rank: (machine["versions"], machine["cards"], [card["driver"] for card in machine["smi"]])
             for rank, machine in known.items()}
    if unlike := [rank for rank, kind in kinds.items() if kind != next(iter(kinds.values()))]:
        yield failed("nodes", "the same versions, cards and driver on all nodes", f"others on node {unlike[0]}",
                     "Ask for nodes of one kind: SBATCH_CONSTRAINT in experiments/slurm/site.sh.")
    if known and not any(machine["cards"] or machine["given"] for machine in known.values()):
        yield Check("cards", True, f"none on {len(known)} nodes: driver, CUDA, NCCL and the gain of mixed precision are not "
                    "checked")
        return
    for rank, machine in known.items():
        yield _cards(rank, machine)
        yield from _kernels(rank, machine)


def _cards(rank: int, machine: Mapping[str, Any]) -> Check:
    """Cards that TensorFlow sees against those that were given; where it sees fewer, the likeliest reason."""
    seen, given = len(machine["cards"]), machine["given"]
    subject, drivers = f"cards of node {rank}", sorted({card["driver"] for card in machine["smi"]})
    if seen < given:
        oldest = first_driver(machine["cuda"])
        if not machine["cuda"]:
            remedy = "This TensorFlow was built without CUDA: install that of README.md, \"Which TensorFlow\"."
        elif not machine["smi"]:
            remedy = "nvidia-smi shows no card there: ask for a partition with cards, or --gpus-per-node=0 for none."
        elif drivers and oldest and min(map(_major, drivers)) < oldest:
            remedy = f"Ask for nodes with driver {oldest} or newer, which CUDA {machine['cuda']} needs."
        else:
            remedy = ("Install TensorFlow's CUDA libraries into this environment, by the line of README.md, "
                      "\"Which TensorFlow\"; unload modules with another CUDA.")
        return failed(subject, f"{given} cards, as given, in TensorFlow",
                      f"{seen} (driver {', '.join(drivers) or 'unknown'})", remedy)
    if not all(machine["right"]):
        return failed(subject, "a convolution and a product of ones without error on every card",
                      f"wrong numbers on card {machine['right'].index(False)}", "Leave that node out and tell its owners.")
    names = ", ".join(sorted({card["name"] for card in machine["cards"]}))
    return Check(subject, True, f"{seen} of {given}: {names}; driver {', '.join(drivers) or 'unknown'}, "
                 f"CUDA {machine['cuda']}, cuDNN {machine['cudnn']}, first computation after {machine['seconds']:.0f} s")


def first_driver(cuda: str) -> int | None:
    """Returns the first driver for programs built with a CUDA version such as "12.2"; None for one that is not known."""
    return FIRST_DRIVER.get(_major(cuda))


def _major(version: str) -> int:
    digits = version.partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else 0


def _kernels(rank: int, machine: Mapping[str, Any]) -> Iterator[Check]:
    """Whether this TensorFlow's build has code for the cards."""
    for text in sorted({card["capability"] for card in machine["cards"]}):
        found = code_for(text, machine["build"])
        subject = f"kernels of node {rank}"
        if found == "none":
            yield failed(subject, f"a TensorFlow with code for compute capability {text}",
                         f"one for {', '.join(machine['build'])}", "Take the other lane of README.md, \"Which TensorFlow\".")
        else:
            how = "is in this TensorFlow" if found == "own" else ("is compiled at the first start, for minutes; "
                                                                   "the newest lane may have it")
            yield Check(subject, True, f"code for compute capability {text} {how}")


def code_for(card: str, build: Sequence[str]) -> str:
    """Returns where a card's code comes from: "own" code of the build, "compiled" at the first start, or "none".

    Code for a compute capability (sm_80) runs on cards of the same major version that are not older; the intermediate code
    (compute_80) is compiled for any that is not older.

    Args:
        card: Compute capability of the card, such as "8.6".
        build: Those of the build, such as "sm_80" and "compute_80".

    Example:
        >>> [code_for(card, ["sm_60", "compute_80"]) for card in ("6.1", "5.2", "8.0", "9.0")]
        ['own', 'none', 'compiled', 'compiled']
    """
    wanted, found = capability(card), "none"
    for each in build:
        kind, _, digits = each.partition("_")
        have = capability(f"{digits[:-1]}.{digits[-1:]}")
        if kind == "sm" and have[0] == wanted[0] and have <= wanted:
            return "own"
        if kind == "compute" and (0, 0) < have <= wanted:
            found = "compiled"
    return found
