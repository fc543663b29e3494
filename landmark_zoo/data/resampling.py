"""Resampling by the rules of test protocols: sizes, kernels and gray levels as Pillow, OpenCV and torch make them.

`fit_image` brings one image to its size by TensorFlow's resize. `fit_images` does so with a batch, and `resample` with any
size, by two matrix products, which ONNX and TFLite have; they know no antialiased resize. `rescale` makes scales.
"""

import math
from collections.abc import Callable

import tensorflow as tf

from landmark_zoo.data.image_ops import MIN_SIDE, resize
from landmark_zoo.data.protocol import OWN_SCALES, Protocol, Scales

Size = int | tf.Tensor

_METHODS = {"pil_bilinear": "bilinear", "lanczos": "lanczos3"}
_KERNELS = {"bilinear": "triangle", "pil_bilinear": "triangle", "lanczos": "lanczos"}


def fitted_size(height: Size, width: Size, protocol: Protocol, whole: Size | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns height and width to which a protocol brings an image, each at least 32 pixels.

    "bilinear" rounds side * edge / longest half up. "lanczos" is `PIL.Image.thumbnail`: the longer edge is rounded down, the
    shorter one so that the aspect ratio stays nearest. "pil_bilinear" rounds halves to even numbers, as DELG's code. Both
    compute as their authors in 64 bits, lest ties fall otherwise.

    Args:
        height: Height of the image, or of a box in it.
        width: Width of the image, or of a box in it.
        protocol: Side and rules.
        whole: Longer edge of the image that a box is cut out of, where the protocol keeps the image's scale; None, or 0,
            for that of the image itself.
    """
    long = tf.maximum(tf.maximum(height, width), 1)
    if whole is None or protocol.crop == "side":
        whole = long
    whole = tf.where(tf.equal(whole, 0), long, whole)
    if protocol.resize == "none":
        size = height, width
    elif protocol.resize == "lanczos":
        size = _thumbnail_size(height, width, protocol.side * long // whole)
    elif protocol.resize == "pil_bilinear":
        factor = _f64(long) / _f64(whole) * protocol.side / _f64(long)
        size = tuple(tf.cast(tf.round(_f64(edge) * factor), tf.int32) for edge in (height, width))
    else:
        size = tuple((2 * edge * protocol.side + whole) // (2 * whole) for edge in (height, width))
    if not protocol.enlarge:
        size = tuple(tf.where(whole <= protocol.side, edge, new) for edge, new in zip((height, width), size, strict=True))
    return tuple(tf.maximum(MIN_SIDE, edge) for edge in size)


def _thumbnail_size(height: Size, width: Size, side: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the size of Pillow's thumbnail: of both roundings of the shorter edge that with the nearer aspect ratio."""
    aspect, longer, one = _f64(width) / _f64(tf.maximum(height, 1)), _f64(side), tf.constant(1.0, tf.float64)
    tall = _nearer(longer * aspect, lambda edge: tf.abs(aspect - edge / longer))
    wide = _nearer(longer / aspect, lambda edge: tf.abs(aspect - longer / tf.maximum(edge, one)))
    return tf.where(width > height, wide, side), tf.where(width > height, side, tall)


def _nearer(edge: tf.Tensor, distance: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    low, high = tf.floor(edge), tf.math.ceil(edge)
    return tf.cast(tf.where(distance(high) < distance(low), high, low), tf.int32)


def _f64(number: Size) -> tf.Tensor:
    return tf.cast(number, tf.float64)


def fit_image(image: tf.Tensor, protocol: Protocol, whole: Size | None = None) -> tf.Tensor:
    """Brings one image to the size of a protocol.

    Pillow's rules are computed in its order, across and then down, each pass rounded to whole gray levels. They equal its
    `resize` and, but for JPEGs it shrinks while decoding and images more than four times too large, its `thumbnail`.

    Args:
        image: [H, W, 3], 0..255, any numeric type.
        protocol: Side and rules.
        whole: See `fitted_size`.

    Returns:
        float32 [h, w, 3].
    """
    height, width = tf.unstack(tf.shape(image)[:2])
    new_height, new_width = fitted_size(height, width, protocol, whole)
    if protocol.resize == "bilinear" and protocol.enlarge:
        return resize(image, new_height, new_width)

    def resized() -> tf.Tensor:
        if protocol.resize not in _METHODS:
            return resize(image, new_height, new_width)
        method = _METHODS[protocol.resize]
        across = tf.image.resize(image, [height, new_width], method=method, antialias=True)
        return _whole_levels(tf.image.resize(_whole_levels(across), [new_height, new_width], method=method, antialias=True))

    same = tf.equal(height, new_height) & tf.equal(width, new_width)
    return tf.ensure_shape(tf.cond(same, lambda: tf.cast(image, tf.float32), resized), [None, None, 3])


def fit_images(images: tf.Tensor, protocol: Protocol) -> tf.Tensor:
    """Brings a batch of whole images to the size of a protocol as `fit_image` does, up to .01 gray levels or a rounding.

    Args:
        images: float32 [B, H, W, 3], 0..255; no images, of whatever size, come back as they are.
        protocol: Side and rules.

    Returns:
        float32 [B, h, w, 3].
    """
    if protocol.resize == "none":
        return images
    count, height, width, _ = tf.unstack(tf.shape(images))
    size = fitted_size(height, width, protocol)
    same = tf.equal(height, size[0]) & tf.equal(width, size[1])
    resized = tf.cond(same | tf.equal(count, 0), lambda: images, lambda: resample(
        images, *size, kernel=_KERNELS[protocol.resize], levels="pillow" if protocol.resize in _METHODS else "any"))
    return tf.ensure_shape(resized, [None, None, None, 3])


def resample(images: tf.Tensor, height: Size, width: Size, kernel: str = "triangle", levels: str = "any",
             ratios: tuple[float | tf.Tensor, float | tf.Tensor] | None = None) -> tf.Tensor:
    """Resizes a batch by two matrix products, across and then down.

    Args:
        images: float32 [B, H, W, C].
        height: Height of the result, in pixels.
        width: Width of the result, in pixels.
        kernel: See `axis_weights`.
        levels: "any", "whole" (the result is rounded to whole numbers from 0 to 255) or "pillow" (so is each pass).
        ratios: Distance of two pixels of the result down and across, in pixels of the images; None for that of the sizes.

    Returns:
        float32 [B, height, width, C].
    """
    down, across = (None, None) if ratios is None else ratios
    count, old_height, old_width, channels = (known or found for known, found in zip(
        images.shape.as_list(), tf.unstack(tf.shape(images)), strict=True))
    columns = tf.reshape(images, [count * old_height, old_width, channels])
    columns = tf.matmul(axis_weights(old_width, width, kernel, across)[tf.newaxis], columns)
    columns = _whole_levels(columns) if levels == "pillow" else columns
    rows = tf.reshape(columns, [count, old_height, width * channels])
    rows = tf.matmul(axis_weights(old_height, height, kernel, down)[tf.newaxis], rows)
    return tf.reshape(rows if levels == "any" else _whole_levels(rows), [count, height, width, channels])


def rescale(images: tf.Tensor, factor: float, rule: Scales = OWN_SCALES) -> tf.Tensor:
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


def _whole_levels(pixels: tf.Tensor) -> tf.Tensor:
    return tf.floor(tf.clip_by_value(pixels, 0.0, 255.0) + 0.5)


def axis_weights(size: Size, target: Size, kernel: str, ratio: float | tf.Tensor | None = None) -> tf.Tensor:
    """Returns the weights by which the pixels of one axis make those of the result, float32 [target, size]; rows sum to 1.

    Each pixel of the result weighs those of the image by a kernel about its center. "triangle" and "lanczos" (of three
    lobes) are as much wider as the resize shrinks (antialiasing; Pillow, TensorFlow); "linear" always spans two pixels and
    repeats those at the edge (torch's `interpolate`, OpenCV's INTER_LINEAR); "area" is the part of the image's pixel that
    the result's covers (OpenCV's INTER_AREA, for ratios of 1 and more). "cubic" is Keys' of -1/2 and widens as "triangle"
    does (Pillow's BICUBIC, torch's `interpolate` with antialiasing); "plain_cubic" is Keys' of -3/4, always spans four
    pixels and repeats those at the edge (torch's `interpolate` without, OpenCV's INTER_CUBIC).

    Args:
        size: Pixels of the image.
        target: Pixels of the result.
        kernel: One of the six.
        ratio: Distance of two pixels of the result, in pixels of the image; None for size / target.
    """
    if ratio is None:
        ratio = tf.cast(size, tf.float32) / tf.cast(target, tf.float32)
    length = tf.cast(size, tf.float32)
    centers = ((tf.range(tf.cast(target, tf.float32)) + 0.5) * ratio)[:, tf.newaxis]
    pixels = tf.range(length) + 0.5
    if kernel == "area":
        ends = tf.minimum(pixels + 0.5, centers + ratio / 2), tf.maximum(pixels - 0.5, centers - ratio / 2)
        weights = tf.maximum(0.0, ends[0] - ends[1])
    elif kernel == "linear":
        weights = tf.maximum(0.0, 1 - tf.abs(pixels - tf.clip_by_value(centers, 0.5, length - 0.5)))
    elif kernel == "plain_cubic":
        weights = keys_cubic(tf.range(-2.0, length + 2) + 0.5 - centers, -0.75)
        before, weights, behind = weights[:, :2], weights[:, 2:-2], weights[:, -2:]
        weights += tf.reduce_sum(before, 1, keepdims=True) * tf.one_hot([0], size)
        weights += tf.reduce_sum(behind, 1, keepdims=True) * tf.one_hot([size - 1], size)
    else:
        offsets = tf.abs(pixels - centers) / tf.maximum(ratio, 1.0)
        if kernel == "triangle":
            weights = tf.maximum(0.0, 1 - offsets)
        elif kernel == "cubic":
            weights = keys_cubic(offsets, -0.5)
        else:
            weights = tf.where(offsets < 3, _sinc(offsets) * _sinc(offsets / 3), 0.0)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)


def keys_cubic(distance: tf.Tensor, slope: float) -> tf.Tensor:
    """Returns the cubic kernel of two lobes (Keys: Cubic Convolution Interpolation for Digital Image Processing, 1981).

    Args:
        distance: Distance from the center, in pixels.
        slope: Its slope at a distance of 1: -1/2 in Pillow, -3/4 in OpenCV and torch.
    """
    x = tf.abs(distance)
    near = ((slope + 2) * x - (slope + 3)) * x ** 2 + 1
    far = ((slope * x - 5 * slope) * x + 8 * slope) * x - 4 * slope
    return tf.where(x <= 1, near, tf.where(x < 2, far, 0.0))


def _sinc(x: tf.Tensor) -> tf.Tensor:
    angle = math.pi * tf.maximum(x, 1e-6)
    return tf.sin(angle) / angle
