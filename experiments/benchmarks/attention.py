"""What every attention block costs on the last feature map of ResNet101, beside a plain convolution of the same work."""

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.layers.attention import ATTENTION
from landmark_zoo.models.complexity import multiply_accumulates

COLUMNS = ("name", "quadrant", "parameters", "gmacs", "milliseconds", "convolution_milliseconds", "ratio",
           "percent_of_resnet101", "peak_mib")
_CHILD = "from experiments.benchmarks.attention import measure_one; import sys; measure_one(*sys.argv[1:])"


def measure_attention(output: str, side: int = 32, channels: int = 2048) -> str:
    """Measures each row of the attention table in a process of its own, and writes and returns a table.

    The time is set beside that of a 3 x 3 convolution over the same map with as many multiply-accumulates, measured in the
    same process, and beside that of ResNet101 at 512 x 384. Rows that stand in the file already are not measured again.

    Args:
        output: The csv file.
        side: Height and width of the map.
        channels: Of the map.
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
    """Prints one row: medians of seven calls, batch 1, float32."""
    shape = (1, int(side), int(side), int(channels))
    features = tf.constant(np.random.default_rng(0).standard_normal(shape).astype(np.float32).clip(0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    method = ATTENTION[name]
    layer = method.create()
    block = tf.function(layer)
    seconds = _median_seconds(block, features)
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
    return _median_seconds(tf.function(tf.keras.layers.Conv2D(filters, 3, padding="same")), features)


def _backbone_seconds() -> float:
    """Time of ResNet101 at 512 x 384."""
    network = tf.keras.applications.ResNet101(include_top=False, weights=None, input_shape=(None, None, 3))
    return _median_seconds(tf.function(network), tf.zeros([1, 384, 512, 3]), calls=3)


def _median_seconds(function, features: tf.Tensor, calls: int = 7) -> float:
    function(features)
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        function(features)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
