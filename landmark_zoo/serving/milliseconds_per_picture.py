"""How fast an embedder is here and now."""

import statistics
import time
from collections.abc import Callable

import tensorflow as tf

CALLS, SECONDS = 7, 3.0


def milliseconds_per_picture(embed: Callable[[tf.Tensor], object], height: int, width: int) -> float:
    """Returns the median time of some calls with one picture, after one that is not counted.

    Stops after 7 calls, or after the first that ends past 3 seconds.

    Args:
        embed: From float32 [1, H, W, 3].
        height: Of the picture, pixels.
        width: Of the picture, pixels.
    """
    picture = tf.random.stateless_uniform([1, height, width, 3], [0, 0], maxval=255.0)
    embed(picture)
    seconds: list[float] = []
    while len(seconds) < CALLS and sum(seconds) < SECONDS:
        start = time.perf_counter()
        embed(picture)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)
