"""How fast training is beside its two halves, the input pipeline and the model, and beside a loop written by hand."""

import dataclasses
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path

import tensorflow as tf

from experiments.benchmarks.input_pipeline import measure_input_pipeline
from landmark_zoo.data.manifest import Manifest, read_manifest
from landmark_zoo.data.pipeline import steps_per_epoch, train_dataset
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.run import run_training
from landmark_zoo.training.sampling import SamplingConfig

_SKIPPED = 6


def measure_training(records: str | Path, model: ModelConfig, config: TrainingConfig, weights: str | None = None,
                     steps: int = 30, rounds: int = 2) -> dict[str, float]:
    """Measures images per second; the two loops take turns, so that both see the machine as it is.

    Args:
        records: Folder of `experiments.prepare`.
        model: What is trained.
        config: How; its batch size and image size are those of all measurements.
        weights: The backbone's.
        steps: Counted steps per round.
        rounds: How often the loops take turns; the best round of each counts.

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
    """The shortest correct step: forward, head with margin, cross-entropy, gradients, Adam; BatchNorm frozen."""
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
        run_training(model, config, records, workdir, weights, sampling=sampling)
        lines = [json.loads(line) for line in (Path(workdir) / "history.jsonl").read_text().splitlines()]
    speeds = [line["images_per_second"] for line in lines if "images_per_second" in line]
    return statistics.harmonic_mean(speeds[_SKIPPED:])
