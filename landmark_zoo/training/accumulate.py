"""A batch worked off in parts."""

from collections.abc import Callable, Sequence

import tensorflow as tf

Compute = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, ...]]


def mean_over_parts(compute: Compute, images: tf.Tensor, labels: tf.Tensor, parts: int,
                    zeros: Sequence[tf.Tensor]) -> tuple[tf.Tensor, ...]:
    """Returns the mean of what `compute` gives for each part of a batch, one part in memory at a time.

    The mean of the gradients of means over parts is the gradient of the mean over the batch.

    Args:
        compute: (images, labels) of a part to a flat tuple of float tensors.
        images: [B, H, W, 3].
        labels: [B].
        parts: How many; must divide B.
        zeros: What the sums start from, in the shapes of `compute`'s values.
    """
    if parts == 1:
        return compute(images, labels)
    size = tf.shape(labels)[0] // parts

    def add(part, *sums):
        rows = slice(part * size, (part + 1) * size)
        return part + 1, *(total + value for total, value in zip(sums, compute(images[rows], labels[rows]), strict=True))

    _, *sums = tf.while_loop(lambda part, *_: part < parts, add, [0, *zeros], maximum_iterations=parts,
                             parallel_iterations=1)
    return tuple(total / parts for total in sums)
