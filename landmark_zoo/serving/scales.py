"""Scales at which an export embeds an image: the factors, the resize to each, and the mean over all."""

import dataclasses
import math

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.image_ops import MIN_SIDE, resize


@dataclasses.dataclass(frozen=True)
class Scales:
    """Fixed scales and their aggregation.

    Attributes:
        factors: Factors of the image at the model's side, e.g. (0.7071, 1, 1.4142).
        unit: Bring the embeddings of all scales to length 1 before they are aggregated.
        power: p of the generalised mean over the scales; 1 is the mean.

    Raises:
        UserError: No scale, one that is not above 0, one twice, or a power that is not above 0.
    """

    factors: tuple[float, ...] = (1.0,)
    unit: bool = True
    power: float = 1.0

    def __post_init__(self):
        good = self.factors and all(math.isfinite(factor) and factor > 0 for factor in self.factors)
        if not good or len(set(self.factors)) < len(self.factors):
            raise UserError("scales above 0, none twice", ", ".join(map(str, self.factors)) or "none",
                            "Write for example --scales=0.7071,1,1.4142.")
        if max(self.factors) > 16:
            raise UserError("scales up to 16", str(max(self.factors)), "Write for example --scales=0.7071,1,1.4142.")
        if not (math.isfinite(self.power) and self.power > 0):
            raise UserError("a power above 0 for the mean over the scales", str(self.power), "Use 1 for the mean.")

    @property
    def aggregation(self) -> str:
        """One line for protocol cards."""
        if self.factors == (1.0,):
            return "none"
        mean = "mean" if self.power == 1 else f"generalised mean, p {self.power:g},"
        return f"{mean} of embeddings {'of length 1' if self.unit else 'before their L2 normalisation'}, L2"


def rescale(images: tf.Tensor, factor: float) -> tf.Tensor:
    """Resizes both sides by one factor, rounded half up and at least 32 pixels; 1 changes nothing.

    Args:
        images: [B, H, W, C].
        factor: Above 0.

    Returns:
        float32 [B, h, w, C].
    """
    if factor == 1:
        return images
    sides = images.shape[1:3]
    if sides.is_fully_defined():
        return resize(images, *(max(MIN_SIDE, int(side * factor + 0.5)) for side in sides))
    size = tf.floor(tf.cast(tf.shape(images)[1:3], tf.float32) * factor + 0.5)
    height, width = tf.unstack(tf.maximum(MIN_SIDE, tf.cast(size, tf.int32)))
    return resize(images, height, width)


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
