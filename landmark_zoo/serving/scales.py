"""Scales at which an export embeds an image: the resize to each, and the aggregate of all embeddings."""

import math

import tensorflow as tf

from landmark_zoo.data.image_ops import MIN_SIDE, resize
from landmark_zoo.data.protocol import Scales
from landmark_zoo.data.resampling import resample

PLAIN = Scales()


def rescale(images: tf.Tensor, factor: float, rule: Scales = PLAIN) -> tf.Tensor:
    """Resizes both sides by one factor, rounded half up or as the rule says and at least 32 pixels; 1 changes nothing.

    Args:
        images: [B, H, W, C].
        factor: Above 0.
        rule: Resize, rounding and ratio; its factors are left out of account.

    Returns:
        float32 [B, h, w, C].
    """
    if factor == 1:
        return images
    known = images.shape[1:3].is_fully_defined()
    sides = images.shape[1:3] if known else tf.unstack(tf.shape(images)[1:3])
    rounded = [_rounded(side, factor, rule.rounding) for side in sides]
    size = [max(MIN_SIDE, edge) if known else tf.maximum(MIN_SIDE, edge) for edge in rounded]
    if rule.resize == "antialias" and rule.ratio == "sizes":
        return resize(images, *size)
    kernel = {"antialias": "triangle", "linear": "linear", "area": "area" if factor < 1 else "linear"}[rule.resize]
    ratios = None if rule.ratio == "sizes" else tuple(
        tf.where(tf.less(edge, MIN_SIDE), tf.cast(side, tf.float32) / MIN_SIDE, 1 / factor)
        for side, edge in zip(sides, rounded, strict=True))
    return resample(tf.cast(images, tf.float32), *size, kernel, "whole" if rule.resize == "area" else "any", ratios)


def _rounded(side: int | tf.Tensor, factor: float, rounding: str) -> int | tf.Tensor:
    if not tf.is_tensor(side):
        return {"nearest": lambda x: int(x + 0.5), "even": round, "floor": math.floor}[rounding](side * factor)
    if rounding == "nearest":
        return tf.cast(tf.floor(tf.cast(side, tf.float32) * factor + 0.5), tf.int32)
    exact = tf.cast(side, tf.float64) * factor  # in float32 a product just below a whole number may reach it
    return tf.cast(tf.floor(exact) if rounding == "floor" else tf.round(exact), tf.int32)


def aggregate(vectors: tf.Tensor, rule: Scales = PLAIN) -> tf.Tensor:
    """Returns the generalised mean over the first axis, or the maximum, number by number.

    The maximum is that of SuperGlobal (Shao et al., ICCV 2023).

    Args:
        vectors: float32 [S, ...].
        rule: Pooling and power.
    """
    return tf.reduce_max(vectors, axis=0) if rule.pooling == "maximum" else power_mean(vectors, rule.power)


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
