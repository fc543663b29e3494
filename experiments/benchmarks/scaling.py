"""How much faster several workers train than one, each with one processor core."""

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.pipeline import steps_per_epoch
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.local_workers import LocalWorkers

_SKIPPED = 6


def measure_scaling(records: str | Path, model: ModelConfig, config: TrainingConfig, workers: int,
                    weights: str | None = None, steps: int = 30, rounds: int = 2) -> dict[str, float]:
    """Measures images per second with the same global batch; one worker and several take turns, the best round counts.

    Args:
        records: Folder of `experiments.prepare`.
        model: What is trained.
        config: How; its batch size is that of all workers together.
        workers: How many, each on a core of its own.
        weights: The backbone's.
        steps: Counted steps per round.
        rounds: How often they take turns.

    Returns:
        On one core "input_alone", "model_alone" and "both_in_turn" (what these two give where they share the core);
        "training_1", "training_<workers>"; "overlap" (training_1 to both_in_turn) and "speedup".

    Raises:
        UserError: Fewer cores than workers, or a run that fails.
    """
    cores = sorted(os.sched_getaffinity(0))
    if not 2 <= workers <= len(cores):
        raise UserError(f"--workers from 2 to {len(cores)}, one for each core", str(workers), "Change --workers.")
    steps = min(steps, steps_per_epoch(read_manifest(Path(records) / "train"), config.batch_size) - _SKIPPED)
    flags = [*_flags(model), *_flags(dataclasses.replace(config, epochs=1, log_steps=1)), f"--records={records}",
             *([f"--weights={weights}"] if weights else [])]
    halves = _halves(flags, steps, cores[0])
    speeds = {1: [], workers: []}
    for _ in range(rounds):
        for number, found in speeds.items():
            found.append(_training_speed(flags, number, cores[:number], steps))
    best = {number: max(found) for number, found in speeds.items()}
    both = 1 / (1 / halves["input_alone"] + 1 / halves["model_alone"])
    return {"input_alone": halves["input_alone"], "model_alone": halves["model_alone"], "both_in_turn": both,
            "training_1": best[1], f"training_{workers}": best[workers], "overlap": best[1] / both,
            "speedup": best[workers] / best[1]}


def _flags(config: ModelConfig | TrainingConfig) -> list[str]:
    return [f"--{name}={value}" for name, value in vars(config).items() if value is not None]


def _halves(flags: Sequence[str], steps: int, core: int) -> dict[str, float]:
    command = [sys.executable, "-m", "experiments.bench", "--what=train", f"--steps={steps}", *flags]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    if done.returncode:
        raise UserError("the measurement of one worker to end", done.stderr.strip().splitlines()[-1], "Mend what it says.")
    return {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}


def _training_speed(flags: Sequence[str], workers: int, cores: Sequence[int], steps: int) -> float:
    """Harmonic mean of the speeds of the counted steps."""
    with tempfile.TemporaryDirectory() as workdir:
        command = [sys.executable, "-m", "experiments.train", *flags, f"--workdir={workdir}",
                   f"--steps_per_epoch={steps + _SKIPPED}"]
        code = LocalWorkers(command, workers, [{core} for core in cores]).wait()
        if code:
            raise UserError(f"a run of {workers} workers to end", f"exit code {code}", "Mend what it says above.")
        lines = [json.loads(line) for line in (Path(workdir) / "history.jsonl").read_text().splitlines()]
    speeds = [line["images_per_second"] for line in lines if "images_per_second" in line]
    return statistics.harmonic_mean(speeds[_SKIPPED:])
