"""What a block costs."""

import statistics
import time

import tensorflow as tf

from landmark_zoo.layers.attention import Attention
from landmark_zoo.models.complexity import multiply_accumulates

BATCH, CALLS = 32, 7


def block_costs(model: tf.keras.Model, head: str, shape: tuple[int, int, int]) -> dict[str, float]:
    """Counts and times the attention block of a model; all is 0 where it has none.

    Args:
        model: See `models.build_model`, with attention behind its backbone or none.
        head: Name of its head, which is no part of what is exported.
        shape: Height, width and channels of the feature map that the block gets.

    Returns:
        "parameters" of the model without its head; of the block "block_parameters", "block_macs" (multiply-accumulates of
        one picture) and "block_milliseconds" per picture (the median of some calls with 32).
    """
    facts = {"parameters": model.count_params() - model.get_layer(head).count_params(),
             "block_parameters": 0, "block_macs": 0, "block_milliseconds": 0.0}
    for block in model.layers:
        if isinstance(block, Attention):
            facts |= {"block_parameters": block.count_params(),
                      "block_macs": multiply_accumulates(block, tf.TensorSpec([1, *shape])),
                      "block_milliseconds": _milliseconds(block, tf.random.stateless_uniform([BATCH, *shape], [0, 0]))}
    return facts


def _milliseconds(block: Attention, features: tf.Tensor) -> float:
    call = tf.function(block)
    call(features)
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call(features)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds) / BATCH
