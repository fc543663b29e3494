"""Speed of the input pipeline, of training beside its halves, and of several workers."""

import dataclasses
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.input_pipeline import steps_per_epoch, train_dataset
from landmark_zoo.data.manifest import Manifest, read_manifest
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.local_workers import LocalWorkers
from landmark_zoo.training.history import read_history
from landmark_zoo.training.run import run_training
from landmark_zoo.training.sampling import SamplingConfig


def measure_input_pipeline(records: str | Path, image_size: int, batch_size: int, seconds: float = 20.0) -> dict[str, float]:
    """Reads training batches as fast as they come.

    Args:
        records: Folder of `experiments.prepare`.
        image_size: Side of the crops, pixels.
        batch_size: Images per batch.
        seconds: Duration of the measurement; the first batch of each epoch is not counted.

    Returns:
        "images_per_second", and the slowest and the median gap between two batches in milliseconds.
    """
    manifest = read_manifest(Path(records) / "train")
    gaps, epoch, start = [], 0, time.perf_counter()
    while not gaps or time.perf_counter() - start < seconds:
        last = None
        for _ in train_dataset(manifest, image_size=image_size, batch_size=batch_size, seed=0, epoch=epoch):
            now = time.perf_counter()
            if last is not None:
                gaps.append(now - last)
            last = now
            if gaps and now - start > seconds:
                break
        epoch += 1
    return {"images_per_second": batch_size * len(gaps) / sum(gaps), "median_gap_ms": 1000 * statistics.median(gaps),
            "slowest_gap_ms": 1000 * max(gaps)}


_SKIPPED = 6


def measure_training(records: str | Path, model: ModelConfig, config: TrainingConfig, weights: str | None = None,
                     steps: int = 30, rounds: int = 2) -> dict[str, float]:
    """Measures images per second; the two loops take turns, so that both see the machine as it is.

    Args:
        records: Folder of `experiments.prepare`.
        model: Model that is trained.
        config: Training settings; their batch size and image size are those of all measurements.
        weights: Pretrained weights of the backbone.
        steps: Counted steps per round.
        rounds: Number of turns of the loops; the best round of each counts.

    Returns:
        "input_alone", "model_alone" (one batch again and again), "plain_loop" (a `tf.function` written by hand over the same
        pipeline), "training" (`run_training`), "training_to_plain_loop" and "training_to_slower_half".
    """
    manifest = read_manifest(Path(records) / "train")
    steps = min(steps, steps_per_epoch(manifest, config.batch_size) - _SKIPPED)
    step = _plain_step(model.build(manifest.num_classes, weights), model, config)
    speeds = {"input_alone": [measure_input_pipeline(records, config.image_size, config.batch_size,
                                                     10.0)["images_per_second"]],
              "model_alone": [], "plain_loop": [], "training": []}
    for _ in range(rounds):
        batch = next(iter(_batches(manifest, config)))
        speeds["model_alone"].append(_speed(step, itertools.repeat(batch), steps, config.batch_size))
        speeds["plain_loop"].append(_speed(step, _batches(manifest, config), steps, config.batch_size))
        speeds["training"].append(_training_speed(records, model, config, weights, steps))
    best = {name: max(values) for name, values in speeds.items()}
    return {**best, "training_to_plain_loop": best["training"] / best["plain_loop"],
            "training_to_slower_half": best["training"] / min(best["input_alone"], best["model_alone"])}


def _batches(manifest: Manifest, config: TrainingConfig) -> tf.data.Dataset:
    return train_dataset(manifest, image_size=config.image_size, batch_size=config.batch_size, seed=config.seed, epoch=0)


def _plain_step(model: tf.keras.Model, model_config: ModelConfig, config: TrainingConfig):
    """Returns the shortest correct step: forward, head with margin, cross-entropy, gradients, Adam; BatchNorm frozen."""
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            for inner in layer.layers:
                if isinstance(inner, tf.keras.layers.BatchNormalization):
                    inner.trainable = False
    head, optimizer = model.get_layer(model_config.head), tf.keras.optimizers.Adam(config.learning_rate)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            logits = head.training_logits(model(images, training=True)["logits"], labels)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables,
                                      strict=True))
        return loss

    return step


def _speed(step, batches, steps: int, batch_size: int) -> float:
    times = []
    for images, labels in itertools.islice(batches, steps + _SKIPPED):
        float(step(images, labels))
        times.append(time.perf_counter())
    return batch_size * steps / (times[-1] - times[_SKIPPED - 1])


def _training_speed(records, model: ModelConfig, config: TrainingConfig, weights: str | None, steps: int) -> float:
    """Harmonic mean of the speeds that a run logs at every step, the first ones left out."""
    config, sampling = dataclasses.replace(config, epochs=1, log_steps=1), SamplingConfig(steps_per_epoch=steps + _SKIPPED)
    with tempfile.TemporaryDirectory() as workdir:
        run_training(model, config, records, workdir, weights, sampling=sampling, dry_run=True)
        lines = read_history(Path(workdir) / "history.jsonl")
    speeds = [line["images_per_second"] for line in lines if "images_per_second" in line]
    return statistics.harmonic_mean(speeds[_SKIPPED:])


def measure_scaling(records: str | Path, model: ModelConfig, config: TrainingConfig, workers: int,
                    weights: str | None = None, steps: int = 30, rounds: int = 2) -> dict[str, float]:
    """Measures images per second with the same global batch; one worker and several take turns, the best round counts.

    Args:
        records: Folder of `experiments.prepare`.
        model: Model that is trained.
        config: Training settings; their batch size is that of all workers together.
        workers: Number of workers, each on a core of its own.
        weights: Pretrained weights of the backbone.
        steps: Counted steps per round.
        rounds: Number of turns.

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
            found.append(_scaling_training_speed(flags, number, cores[:number], steps))
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


def _scaling_training_speed(flags: Sequence[str], workers: int, cores: Sequence[int], steps: int) -> float:
    """Harmonic mean of the speeds of the counted steps."""
    with tempfile.TemporaryDirectory() as workdir:
        command = [sys.executable, "-m", "experiments.train", *flags, f"--workdir={workdir}",
                   f"--steps_per_epoch={steps + _SKIPPED}"]
        code = LocalWorkers(command, workers, [{core} for core in cores]).wait()
        if code:
            raise UserError(f"a run of {workers} workers to end", f"exit code {code}", "Mend what it says above.")
        lines = read_history(Path(workdir) / "history.jsonl")
    speeds = [line["images_per_second"] for line in lines if "images_per_second" in line]
    return statistics.harmonic_mean(speeds[_SKIPPED:])
