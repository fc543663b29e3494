"""One embedding out of several sizes of a picture."""

from typing import Any

import tensorflow as tf

from landmark_zoo.layers.l2_normalise import l2_normalise
from landmark_zoo.serving.embedders.embedder import Embedder
from landmark_zoo.serving.embedders.wrapper import Wrapper
from landmark_zoo.serving.rescale import rescale
from landmark_zoo.serving.scales import Scales


class MultiScale(Wrapper):
    """Embeds a picture at fixed scales and puts the embeddings together.

    The picture is brought to the model's side once, and every scale is made from that, as in cirtorch and DELG: so bytes
    through `serving_default` and the resized picture through `images` are the same embedding. The loop over the scales is
    unrolled; all share one set of weights.

    Args:
        inner: Embeds one size.
        scales: Which, and how they become one.
    """

    def __init__(self, inner: Embedder, scales: Scales):
        super().__init__(inner, inner.dimension, name="multi_scale")
        self._scales = scales

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        vectors = tf.stack([self.inner(rescale(images, factor)) for factor in self._scales.factors])
        return l2_normalise(power_mean(vectors, self._scales.power))

    @property
    def facts(self) -> dict[str, Any]:
        return {**self.inner.facts, "scales": list(self._scales.factors), "aggregation": self._scales.aggregation}

    def multiply_accumulates(self, height: int, width: int) -> int | None:
        counts = [self.inner.multiply_accumulates(round(height * factor), round(width * factor))
                  for factor in self._scales.factors]
        return None if None in counts else sum(counts)


def power_mean(vectors: tf.Tensor, power: float) -> tf.Tensor:
    """Returns the generalised mean over the first axis, number by number, keeping signs.

    sign(m) |m|^(1/p) with m the mean of sign(x) |x|^p (Revaud et al., ICCV 2019, code). cirtorch takes x^p, which has no
    value for negative numbers and a fractional power; for the others both are the same.

    Args:
        vectors: float32 [S, ...].
        power: p above 0; 1 is the mean.
    """
    if power == 1:
        return tf.reduce_mean(vectors, axis=0)
    mean = tf.reduce_mean(tf.sign(vectors) * tf.abs(vectors) ** power, axis=0)
    return tf.sign(mean) * tf.abs(mean) ** (1 / power)
