"""Parts of the cluster self-test: the plan for a cluster's nodes and cards, and what each part trains or measures.

A part leaves `facts/<part>.json`, one that trains a run in `runs/<part>` too; `cluster_report` reads and judges them. The
part that examines a node is in `cluster_cards`.
"""

import dataclasses
import os
import re
import resource
import shutil
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import tensorflow as tf
from PIL import Image

from experiments.benchmarks.training import measure_input_pipeline
from landmark_zoo.core.errors import UserError, check_range
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList
from landmark_zoo.data.synthetic.scene import draw_scene, draw_view
from landmark_zoo.data.writer import write_records
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.checkpoints import newest_checkpoint
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.distributed.preemption import SAVED, PreemptionHandler
from landmark_zoo.training.distributed.strategy import create_strategy
from landmark_zoo.training.precision import policy_for
from landmark_zoo.training.run import run_training
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.trainer import PreemptedError

MAX_NODES = 1024
TENSOR_CORES = (7, 0)  # compute capability from which cards have them
SECONDS_TO_MEET = 120.0
SIGNAL_STEP = 2  # step of part "interrupted" after which it is told to stop
STEPS_OF_RECORDS = 4  # at full load
ROUNDS, WARM_UP = 10, 2  # of the all-reduce
_DISTRIBUTION = {"one": "single", "mixed": "single", "node": "mirrored"}  # of a training part; auto for the others
_OWN = ("facts", "records", "runs", "photographs", "plan.json", "parts.txt", "codes.txt", "selftest.json")


@dataclasses.dataclass(frozen=True)
class Plan:
    """Sizes of a self-test, which all parts read from `plan.json`.

    Attributes:
        nodes: Number of nodes, or of processes in their place.
        capabilities: Compute capability of each card of the first node, such as "8.0"; none for processors.
        model: Named model that is trained.
        alpha: Width multiplier of the model, or None.
        embedding_dim: Length of the embedding.
        image_size: Side of the training crops, pixels.
        photograph_size: Longer side of the drawn photographs, pixels.
        batch_size: Images per step over all replicas of the runs that are compared, on one replica and on all alike.
        replica_batch_size: Images per step and replica of the run at full load.
        steps: Largest number of steps in an epoch.
        epochs: Number of epochs of each run.
        learning_rate: Learning rate of SGD, so large that training moves the weights far beyond the rounding of float32.
        mixed: Policy of mixed precision that is tried.
        all_reduce_mib: Size of the tensor that is summed over all replicas, MiB.
        input_seconds: Seconds in which the input pipeline alone is measured.

    Raises:
        UserError: A number of nodes out of range.
    """

    nodes: int
    capabilities: list[str]
    model: str
    alpha: float | None
    embedding_dim: int
    image_size: int
    photograph_size: int
    batch_size: int
    replica_batch_size: int
    steps: int
    epochs: int
    learning_rate: float
    mixed: str
    all_reduce_mib: int
    input_seconds: float

    def __post_init__(self):
        check_range("nodes", self.nodes, 1, MAX_NODES)

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """Reads `plan.json`; one that is absent, broken or of another form is a `UserError`."""
        form = {field.name: field.type for field in dataclasses.fields(cls)} | {"capabilities": [str]}
        facts = read_json(Path(folder) / "plan.json", form)
        return cls(**{name: facts[name] for name in form})

    @property
    def cards(self) -> int:
        """Number of cards of each node; 0 for processors."""
        return len(self.capabilities)

    @property
    def replicas(self) -> int:
        """Number of devices of all nodes together."""
        return self.nodes * max(1, self.cards)

    @property
    def full_batch_size(self) -> int:
        """Images per step of the run at full load, over all replicas."""
        return self.replicas * self.replica_batch_size

    @property
    def has_tensor_cores(self) -> bool:
        """Whether mixed precision should be faster than float32: all cards have tensor cores."""
        return bool(self.cards) and all(capability(text) >= TENSOR_CORES for text in self.capabilities)

    @property
    def widest(self) -> str:
        """Name of the run on all replicas."""
        return "nodes" if self.nodes > 1 else "node" if self.cards > 1 else "one"

    def parts(self) -> Iterator[tuple[str, int, int]]:
        """Yields name, number of nodes and most minutes of each part, in order."""
        yield "machine", self.nodes, 5
        yield "one", 1, 4
        if self.cards > 1:
            yield "node", 1, 4
        if self.nodes > 1:
            yield "nodes", self.nodes, 4
        yield "mixed", 1, 4
        if self.cards:
            yield "full", self.nodes, 4
        if self.replicas > 1:
            yield "all_reduce", self.nodes, 3
        yield "interrupted", self.nodes, 4
        yield "resumed", self.nodes, 4
        yield "input", 1, 2


def capability(text: str) -> tuple[int, int]:
    """Returns a compute capability as numbers.

    Example:
        >>> capability("8.0"), capability("?")
        ((8, 0), (0, 0))
    """
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def make_plan(nodes: int, capabilities: Sequence[str]) -> Plan:
    """Returns the plan for so many nodes with cards of these compute capabilities each, or without cards.

    On cards ResNet-50 at 224 pixels, 64 images a replica at full load, and about 64 images over all replicas where one
    replica, which must hold them all, is compared with several. On processors a quarter of ResNet-18 at 32 pixels.
    """
    known = [capability(text) for text in capabilities]
    replicas = nodes * max(1, len(known))
    together, sizes = (64, ("resnet50_gem", None, 512, 224, 512)) if known else (8, ("resnet18_gem", 0.25, 8, 32, 64))
    tried = policy_for(known) if known else "mixed_bfloat16"
    return Plan(nodes, list(capabilities), *sizes, batch_size=replicas * max(1, together // replicas),
                replica_batch_size=64 if known else max(1, together // replicas), steps=8 if known else 4, epochs=3,
                learning_rate=0.1 if known else 1e-3, mixed="mixed_float16" if tried == "float32" else tried,
                all_reduce_mib=64 if known else 4, input_seconds=10.0 if known else 3.0)


def write_plan(folder: Path, nodes: int | None) -> None:
    """Part "plan": writes `plan.json`, `parts.txt` and the records, in place of what an earlier self-test left.

    Args:
        folder: Folder of the self-test.
        nodes: Number of nodes; None for one with cards, or two processes in the place of nodes.

    Raises:
        UserError: A folder with something else in it, or several nodes with cards without Slurm.
    """
    cards = cards_seen()
    if cards and (nodes or 1) > 1 and "SLURM_STEP_ID" not in os.environ:
        raise UserError("--nodes=1 on a machine with cards, without Slurm", str(nodes),
                        "Leave --nodes out, or: sbatch experiments/slurm/selftest.sbatch")
    _make_empty(folder)
    plan = make_plan(nodes or (1 if cards else 2), [card["capability"] for card in cards])
    write_json(folder / "plan.json", dataclasses.asdict(plan))
    draw_records(folder, plan)
    (folder / "facts").mkdir()
    (folder / "parts.txt").write_text("".join(f"{name} {count} {minutes}\n" for name, count, minutes in plan.parts()))


def _make_empty(folder: Path) -> None:
    """Removes an earlier self-test, which a whole `plan.json` tells from any other folder."""
    there = set(os.listdir(folder)) if folder.exists() else set()
    try:
        strange = bool(there) and (bool(there - {*_OWN}) or not Plan.read(folder))
    except UserError:
        strange = True
    if strange:
        raise UserError(f"an empty folder, or an earlier self-test, at {folder}",
                        f"one with {min(there - {*_OWN} or there)}", "Choose another --output.")
    for path in (folder / name for name in there):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def draw_records(folder: Path, plan: Plan, landmarks: int = 4, views: int = 4) -> None:
    """Draws a few photographs and writes them into records over and over, until they fill the steps of every run."""
    drawn = []
    (folder / "photographs").mkdir(parents=True, exist_ok=True)
    for landmark in range(landmarks):
        scene = draw_scene(0, landmark, plan.photograph_size)
        for view in range(views):
            path = folder / "photographs" / f"{landmark}_{view}.jpg"
            Image.fromarray(draw_view(scene, view, "easy").image).save(path, quality=90)
            drawn.append((str(path), f"landmark_{landmark}"))
    count = max(len(drawn), plan.steps * plan.batch_size, STEPS_OF_RECORDS * plan.full_batch_size)
    entries = tuple(ImageEntry(f"{number:06d}", *drawn[number % len(drawn)]) for number in range(count))
    write_records(ImageList(entries, "drawings of the self-test"), folder / "records" / "train", split="train",
                  num_shards=max(2, min(16, count // 64)), seed=0, max_side=None,
                  workers=max(2, len(os.sched_getaffinity(0))))


def cards_seen() -> list[dict[str, str]]:
    """Returns name and compute capability of each card that TensorFlow sees."""
    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return [{"name": str(each.get("device_name", "unknown")),
             "capability": ".".join(map(str, each.get("compute_capability", ("?",))))} for each in details]


def train(folder: Path, part: str) -> None:
    """A part that trains: the run `runs/<part>`, or for "resumed" that of "interrupted", and its facts.

    Raises:
        SystemExit: Code 42; part "interrupted" has saved at the signal that it sent itself.
    """
    plan = Plan.read(folder)
    workdir = folder / "runs" / ("interrupted" if part == "resumed" else part)
    policy = plan.mixed if part == "mixed" or (part == "full" and plan.has_tensor_cores) else "float32"
    model = ModelConfig(plan.model, embedding_dim=plan.embedding_dim, alpha=plan.alpha)
    config = TrainingConfig(epochs=plan.epochs, batch_size=plan.full_batch_size if part == "full" else plan.batch_size,
                            image_size=plan.image_size, optimizer="sgd", learning_rate=plan.learning_rate, precision=policy,
                            log_steps=1)
    facts = {"part": part, "plan": dataclasses.asdict(plan)}
    with PreemptionHandler() as should_stop, create_strategy(_DISTRIBUTION.get(part, "auto"), facts, SECONDS_TO_MEET):
        should_stop.install()
        worker, saved = WorkerInfo.current(), False
        started_at = saved_step(workdir) if worker.is_chief else None
        if part == "interrupted" and worker.is_chief:
            threading.Thread(target=_signal_at, args=(workdir / "history.jsonl", SIGNAL_STEP), daemon=True).start()
        try:
            run_training(model, config, folder / "records", workdir, sampling=SamplingConfig(steps_per_epoch=plan.steps),
                         should_stop=should_stop, dry_run=True)
        except PreemptedError:
            saved = True
        if worker.is_chief:
            write_json(folder / "facts" / f"{part}.json", {
                "replicas": worker.num_replicas, "precision": policy, "batch_size": config.batch_size,
                "peak_mib": _peak_mib(), "started_at": started_at, "saved_at": saved_step(workdir)})
        if saved:
            sys.exit(SAVED)


def saved_step(workdir: Path) -> int | None:
    """Returns the step of the newest checkpoint of a run; None where there is none."""
    newest = newest_checkpoint(workdir / "checkpoints")
    return None if newest is None else int(newest.rpartition("-")[2])


def _signal_at(history: Path, step: int) -> None:
    """Sends SIGUSR1 to this process once a history has lines of so many steps."""
    while not history.exists() or history.read_bytes().count(b"\n") < step:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGUSR1)


def _peak_mib() -> float:
    """Returns the peak memory of this process: of its first card, or without cards its resident memory."""
    if tf.config.get_visible_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_all_reduce(folder: Path) -> None:
    """Part "all_reduce": sums a tensor over all replicas again and again; the median round counts.

    The bandwidth is that of the bus, as NCCL's own tests count it: 2 (n - 1) / n times the tensor's bytes per second.
    """
    plan = Plan.read(folder)
    with create_strategy("auto", {"part": "all_reduce", "plan": dataclasses.asdict(plan)}, SECONDS_TO_MEET):
        strategy, size = tf.distribute.get_strategy(), plan.all_reduce_mib * 2**18

        @tf.function(autograph=False)
        def contribute():
            return strategy.run(lambda: tf.fill([size], tf.cast(_replica() + 1, tf.float32)))

        @tf.function(autograph=False)
        def all_reduce(values):
            def ends(value):  # an argument of the function itself lies on no device
                total = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))
                return tf.stack([total[0], total[-1]])
            return strategy.run(ends, args=(values,))

        values, seconds = contribute(), []
        for _ in range(WARM_UP + ROUNDS):
            start = time.perf_counter()
            found = strategy.experimental_local_results(all_reduce(values))[0].numpy()
            seconds.append(time.perf_counter() - start)
        count, median = strategy.num_replicas_in_sync, statistics.median(seconds[WARM_UP:])
        if WorkerInfo.current().is_chief:
            write_json(folder / "facts" / "all_reduce.json", {
                "replicas": count, "mib": plan.all_reduce_mib, "sums": found.tolist(),
                "gb_per_second": 2 * (count - 1) / count * 4 * size / median / 1e9})


def _replica() -> tf.Tensor | int:
    return tf.distribute.get_replica_context().replica_id_in_sync_group


def measure_input(folder: Path) -> None:
    """Part "input": reads training batches of the records as fast as the node's processor can."""
    plan = Plan.read(folder)
    tf.config.set_visible_devices([], "GPU")
    found = measure_input_pipeline(folder / "records", plan.image_size, plan.replica_batch_size, plan.input_seconds)
    write_json(folder / "facts" / "input.json", {**found, "cores": len(os.sched_getaffinity(0))})
