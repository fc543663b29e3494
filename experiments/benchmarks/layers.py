"""Speed and memory of attention blocks and of ArcFace heads."""

import functools
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.core.parallel import median_seconds
from landmark_zoo.layers.attention.registry import ATTENTION
from landmark_zoo.layers.heads.softmax import sampled_training_logits
from landmark_zoo.layers.registry import HEADS
from landmark_zoo.losses.cross_entropy import softmax_cross_entropy
from landmark_zoo.models.inspection import multiply_accumulates

COLUMNS = ("name", "quadrant", "parameters", "gmacs", "milliseconds", "convolution_milliseconds", "ratio",
           "percent_of_resnet101", "peak_mib")
_CHILD = "from experiments.benchmarks.layers import measure_one; import sys; measure_one(*sys.argv[1:])"


def measure_attention(output: str, side: int = 32, channels: int = 2048) -> str:
    """Measures each row of the attention table in a process of its own, and writes and returns a table.

    The time is set beside that of a 3 x 3 convolution over the same map with as many multiply-accumulates, measured in the
    same process, and beside that of ResNet101 at 512 x 384. Rows that stand in the file already are not measured again.

    Args:
        output: The csv file.
        side: Height and width of the map.
        channels: Channels of the map.
    """
    path = Path(output)
    rows = [tuple(row[column] for column in COLUMNS) for row in read_csv(path, COLUMNS)] if path.exists() else []
    for name in ATTENTION:
        if name not in {row[0] for row in rows}:
            done = subprocess.run([sys.executable, "-c", _CHILD, name, str(side), str(channels)], capture_output=True,
                                  text=True, check=True)
            rows.append(tuple(done.stdout.strip().splitlines()[-1].split(";")))
            write_csv(path, COLUMNS, rows)
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def measure_one(name: str, side: str, channels: str) -> None:
    """Prints the row of one attention method: medians of seven calls, batch 1, float32."""
    shape = (1, int(side), int(side), int(channels))
    features = tf.constant(np.random.default_rng(0).standard_normal(shape).astype(np.float32).clip(0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    method = ATTENTION[name]
    layer = method.create()
    block = tf.function(layer)
    seconds = median_seconds(functools.partial(block, features))
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    macs = multiply_accumulates(layer, tf.TensorSpec(shape))
    convolution_seconds = _convolution_seconds(features, macs)
    backbone_seconds = _backbone_seconds()
    print(name, method.quadrant, layer.count_params(), f"{macs / 1e9:.3f}", f"{1000 * seconds:.1f}",
          f"{1000 * convolution_seconds:.1f}", f"{seconds / convolution_seconds:.2f}" if macs > 1e8 else "-",
          f"{100 * seconds / backbone_seconds:.1f}", f"{peak:.0f}", sep=";")


def _convolution_seconds(features: tf.Tensor, macs: int) -> float:
    """Time of a 3 x 3 convolution from all channels to as many filters as make the same work; at least one filter."""
    _, height, width, channels = features.shape
    filters = max(1, round(macs / (height * width * 9 * channels)))
    convolution = tf.function(tf.keras.layers.Conv2D(filters, 3, padding="same"))
    return median_seconds(functools.partial(convolution, features))


def _backbone_seconds() -> float:
    """Time of ResNet101 at 512 x 384."""
    network = tf.keras.applications.ResNet101(include_top=False, weights=None, input_shape=(None, None, 3))
    return median_seconds(functools.partial(tf.function(network), tf.zeros([1, 384, 512, 3])), repeats=3)


_CALLS = 6


def measure_head(num_classes: int = 81_313, dimension: int = 512, batch_size: int = 64,
                 part: float = 0.1) -> dict[str, float]:
    """Times forward, gradient and SGD step with momentum of an ArcFace head alone; the best of six.

    Args:
        num_classes: N; 81,313 in GLDv2-clean.
        dimension: Length of an embedding.
        batch_size: Embeddings per step.
        part: Fraction of the classes that a sampled step compares with.

    Returns:
        "all_classes_ms", "sampled_ms" and "peak_mib", by which the process grew over both.
    """
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    embeddings = tf.math.l2_normalize(tf.random.stateless_normal([batch_size, dimension], [0, 0]), axis=1)
    labels = tf.random.stateless_uniform([batch_size], [0, 1], 0, num_classes, tf.int32)
    times = {"all_classes_ms": _best(num_classes, embeddings, labels, None),
             "sampled_ms": _best(num_classes, embeddings, labels, int(part * num_classes))}
    return {**times, "peak_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


def _best(num_classes: int, embeddings: tf.Tensor, labels: tf.Tensor, sampled: int | None) -> float:
    head = HEADS["arcface"](num_classes)
    head.build(embeddings.shape)
    optimizer = tf.keras.optimizers.SGD(1e-3, momentum=0.9)
    optimizer.build(head.trainable_variables)

    @tf.function
    def step(seed):
        with tf.GradientTape() as tape:
            if sampled is None:
                logits, targets = head.training_logits(head(embeddings), labels), labels
            else:
                logits, targets = sampled_training_logits(head, embeddings, labels, sampled, seed)
            loss = tf.reduce_mean(softmax_cross_entropy(targets, logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, head.trainable_variables), head.trainable_variables, strict=True))
        return loss

    times = []
    for call in range(_CALLS + 1):
        start = time.perf_counter()
        step(tf.constant([0, call])).numpy()
        times.append(time.perf_counter() - start)
    return 1000 * min(times[1:])
