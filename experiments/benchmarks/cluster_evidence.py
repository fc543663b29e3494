"""Evidence of the cluster self-test: what its parts left in its folder, read without faith in any of it."""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from experiments.benchmarks.cluster import Plan, capability
from experiments.benchmarks.cluster_cards import MACHINE
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.training.checkpoints import load_weights
from landmark_zoo.training.history import read_history, read_model
from landmark_zoo.training.precision import BFLOAT16_CAPABILITY

_TRAINED = {"replicas": int, "precision": str, "batch_size": int, "peak_mib": float, "started_at": int | None,
            "saved_at": int | None}
_ALL_REDUCE = {"replicas": int, "mib": int, "sums": [float], "gb_per_second": float}
_INPUT = {"images_per_second": float, "cores": int}
_UNREADABLE = (UserError, OSError, ValueError, tf.errors.OpError)


@dataclasses.dataclass(frozen=True)
class Run:
    """Steps of a run, as its history has them.

    Attributes:
        steps: Numbers of the steps in the order of the file.
        losses: Loss of each.
        speeds: Images per second of each.
    """

    steps: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()
    speeds: tuple[float, ...] = ()

    @property
    def speed(self) -> float:
        """Median of the images per second, which neither tracing nor a new epoch holds up; 0 for no step."""
        return statistics.median(self.speeds) if self.speeds else 0.0


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the parts of a self-test left.

    Attributes:
        plan: Plan of the self-test.
        ends: Exit code and seconds of each part that ended.
        machines: Facts of each node; None where they are absent or damaged.
        facts: Facts of each other part that left whole ones.
        runs: Run of each part that trained.
        differences: Distance between the final weights of a part and those that it should have, relative to the way that
            training moved them; absent where one of them cannot be read.
    """

    plan: Plan
    ends: Mapping[str, tuple[int, float]]
    machines: Sequence[Mapping[str, Any] | None]
    facts: Mapping[str, Mapping[str, Any]]
    runs: Mapping[str, Run]
    differences: Mapping[str, float]

    @property
    def tf32(self) -> bool:
        """Whether the cards multiply in TF32, with 10 bits of mantissa."""
        return any(capability(text) >= BFLOAT16_CAPABILITY for text in self.plan.capabilities)


def collect(folder: Path, plan: Plan) -> Evidence:
    """Reads what the parts left in a folder."""
    machines = [_facts(folder / "facts" / f"machine-{rank}.json", MACHINE) for rank in range(plan.nodes)]
    forms = {name: {"all_reduce": _ALL_REDUCE, "input": _INPUT}.get(name, _TRAINED)
             for name, *_ in plan.parts() if name != "machine"}
    facts = {name: _facts(folder / "facts" / f"{name}.json", form) for name, form in forms.items()}
    trained = [name for name, form in forms.items() if form is _TRAINED]
    runs = {name: read_run(folder / "runs" / _run_of(name) / "history.jsonl") for name in trained}
    return Evidence(plan, read_ends(folder / "codes.txt"), machines,
                    {name: found for name, found in facts.items() if found is not None}, runs, _differences(folder, plan))


def _run_of(part: str) -> str:
    return "interrupted" if part == "resumed" else part


def _facts(path: Path, form: object) -> dict[str, Any] | None:
    try:
        return read_json(path, form)
    except UserError:
        return None


def read_ends(path: Path) -> dict[str, tuple[int, float]]:
    """Reads lines of part, exit code and seconds; others are left out, and of several of a part the last counts."""
    ends = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    for line in lines:
        words = line.split()
        if len(words) == 3 and all(len(word) < 9 and word.isascii() and word.isdecimal() for word in words[1:]):
            ends[words[0]] = int(words[1]), float(words[2])
    return ends


def read_run(path: Path) -> Run:
    """Reads the training lines of a history, whatever else stands in it."""
    try:
        lines = read_history(path)
    except OSError:
        return Run()
    rows = [(line["step"], line["loss"], line["images_per_second"]) for line in lines
            if all(type(line.get(name)) in (int, float) for name in ("loss", "images_per_second"))]
    steps, losses, speeds = zip(*rows, strict=True) if rows else ((), (), ())
    return Run(steps, tuple(map(_float, losses)), tuple(each for each in map(_float, speeds) if math.isfinite(each)))


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _differences(folder: Path, plan: Plan) -> dict[str, float]:
    """Compares the final weights of one replica with those of several, and those of a resumed run with an uninterrupted."""
    pairs = {"node": "one", "nodes": "one", "resumed": plan.widest}
    try:
        config, facts = read_model(folder / "runs" / "one")
        model = config.build(facts["num_classes"])
        load_weights(model, folder / "runs" / "one", "initial")
    except _UNREADABLE:
        return {}
    start, weights, found = model.get_weights(), {}, {}
    parts = [name for name, *_ in plan.parts() if name in pairs]
    for name in dict.fromkeys([*(pairs[part] for part in parts), *parts]):
        try:
            load_weights(model, folder / "runs" / _run_of(name))
            weights[name] = model.get_weights()
        except _UNREADABLE:
            continue
    for part in parts:
        if part in weights and pairs[part] in weights:
            found[part] = relative_difference(weights[part], weights[pairs[part]], start)
    return found


def relative_difference(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray], start: Sequence[np.ndarray]) -> float:
    """Returns ||ours - theirs|| / ||theirs - start||: 1 where training went elsewhere, infinity where it went nowhere.

    Args:
        ours: Weights after training, a list of arrays.
        theirs: Weights that they should be.
        start: Weights before training.

    Example:
        >>> relative_difference([np.array([1.0, 1.1])], [np.array([1.0, 1.0])], [np.array([1.0, 0.0])])
        0.10000000000000009
    """
    def distance(left, right):
        return math.sqrt(sum(float(np.sum(np.square(np.subtract(one, other, dtype=np.float64))))
                             for one, other in zip(left, right, strict=True)))
    way, apart = distance(theirs, start), distance(ours, theirs)
    return apart / way if way > 0 and math.isfinite(apart) else math.inf
