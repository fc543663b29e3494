"""Several losses as one."""

from collections.abc import Mapping

import tensorflow as tf


def weighted_sum(losses: Mapping[str, tuple[float, tf.Tensor]]) -> tf.Tensor:
    """Returns the sum of weight times loss, in float32.

    A loss of weight 0 is left out altogether, so that not even a NaN of its counts.

    Args:
        losses: Name to (weight >= 0, scalar or [B]); scalars are added to every row. The names are for errors.

    Returns:
        float32 scalar, or [B] where one of the losses has rows.
    """
    if not any(weight > 0 for weight, _ in losses.values()):
        raise ValueError("weighted_sum: expected a loss of weight > 0; received "
                         f"{ {name: weight for name, (weight, _) in losses.items()} }.")
    for name, (weight, loss) in losses.items():
        if not weight >= 0 or len(loss.shape) > 1:
            raise ValueError(f"weighted_sum: expected weight >= 0 and a scalar or [B] for {name!r}; "
                             f"received {weight} and {list(loss.shape)}.")
    return sum(weight * tf.cast(loss, tf.float32) for weight, loss in losses.values() if weight > 0)
