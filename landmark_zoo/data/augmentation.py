"""Augmentation: random views of images for training, and fixed views for evaluation."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from landmark_zoo.core.registry import Registry
from landmark_zoo.data.image_ops import resize, resize_square, resize_to_cover, warp

Size = int | tuple[int | tf.Tensor, int | tf.Tensor]


@dataclass(frozen=True)
class Augmentation:
    """Ranges of random views for training.

    The crop is that of Szegedy et al., "Going deeper with convolutions", CVPR 2015, sec. 6, with a larger minimum area: a
    landmark must stay recognisable.

    Attributes:
        area: Minimum and maximum fraction of the image's area that is cut out; (1, 1) is the whole image.
        aspect: Minimum and maximum width / height of the cut, relative to that of the result.
        oversize: Factor by which the image, keeping its aspect ratio, covers the result before a window of the result's size
            is cut out of it; `area` and `aspect` are then unused. 0 switches this off.
        flip: Mirror every second image.
        brightness: Maximum shift of all values, as a fraction of 255.
        contrast: Maximum relative change of the values' distance from their mean.
        illumination: Maximum relative change of all values by one factor.
        rotation: Maximum rotation to either side, in degrees; pixels from outside the image are black.
        zoom: Maximum relative change of the window's height, and independently of its width. A smaller window is a cut, a
            larger one is padded with black; both lie anywhere.
    """

    area: tuple[float, float] = (0.4, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    oversize: float = 0.0
    flip: bool = True
    brightness: float = 0.1
    contrast: float = 0.2
    illumination: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0

    def __post_init__(self):
        if not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError(f"Expected 0 < least area <= greatest area <= 1; received {self.area}.")
        if not 0 < self.aspect[0] <= self.aspect[1]:
            raise ValueError(f"Expected 0 < least aspect <= greatest aspect; received {self.aspect}.")
        if not (self.oversize == 0 or self.oversize >= 1):
            raise ValueError(f"Expected an oversize of 0 or at least 1; received {self.oversize}.")
        if not (0 <= self.brightness <= 1 and 0 <= self.contrast <= 1 and 0 <= self.illumination <= 1):
            raise ValueError("Expected brightness, contrast and illumination from 0 to 1; "
                             f"received {self.brightness}, {self.contrast} and {self.illumination}.")
        if not (0 <= self.rotation <= 180 and 0 <= self.zoom < 1):
            raise ValueError("Expected a rotation from 0 to 180 degrees and a zoom from 0 to below 1; "
                             f"received {self.rotation} and {self.zoom}.")


def augment(encoded: tf.Tensor, size: Size, seed: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Cuts a random window out of a JPEG, resizes it, mirrors it, changes its light and rotates it.

    If a window is cut by area, only the window is decoded, at 1/2, 1/4 or 1/8 of its size where that is no smaller than the
    result (`decode_window`); always with the fast discrete cosine transform.

    Args:
        encoded: String scalar, an RGB JPEG as records hold it.
        size: Size of the result in pixels: the side of a square, or (height, width).
        seed: Random seed, integers [2]; the same bytes and seed give the same result, eagerly and in a dataset.
        augmentation: Ranges of the random view.

    Returns:
        float32 [height, width, 3], values 0..255.
    """
    seeds = tf.random.split(tf.cast(seed, tf.int32), 6)  # int64 seeds would draw other numbers
    height, width = (size, size) if isinstance(size, int) else size
    image = _cut(encoded, size, seeds[0], augmentation)
    if augmentation.flip:
        image = tf.image.stateless_random_flip_left_right(image, seeds[1])
    shift = 255.0 * tf.random.stateless_uniform([], seeds[2], -augmentation.brightness, augmentation.brightness)
    factor = tf.random.stateless_uniform([], seeds[3], 1 - augmentation.contrast, 1 + augmentation.contrast)
    image = change_light(image, shift, factor)
    if augmentation.illumination:
        gain = tf.random.stateless_uniform([], seeds[4], 1 - augmentation.illumination, 1 + augmentation.illumination)
        image = tf.minimum(gain * image, 255.0)
    if augmentation.oversize or augmentation.rotation or augmentation.zoom:
        image = _turn(image, (height, width), seeds[5], augmentation)
    return image


def random_window(shape: tf.Tensor, seed: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Draws a window within the ranges; the whole image if none fits (long strips).

    Args:
        shape: int32 [3], the image's height, width and channels.
        seed: Random seed, integers [2].
        augmentation: Ranges of the random view.

    Returns:
        int32 [4]: top, left, height, width.
    """
    whole = tf.constant([[[0.0, 0.0, 1.0, 1.0]]])
    begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
        shape, whole, seed, min_object_covered=0.0, aspect_ratio_range=augmentation.aspect,
        area_range=augmentation.area)
    return tf.concat([begin[:2], size[:2]], axis=0)


def change_light(image: tf.Tensor, shift: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Returns (image - mean) * factor + mean + shift, clipped to 0..255, with one mean per channel.

    Args:
        image: float32 [H, W, C].
        shift: Scalar, brightness in gray levels.
        factor: Scalar, contrast.
    """
    mean = tf.reduce_mean(image, axis=[0, 1], keepdims=True)
    return tf.clip_by_value(image * factor + (mean * (1 - factor) + shift), 0.0, 255.0)


_JPEG = {"channels": 3, "dct_method": "INTEGER_FAST", "fancy_upscaling": False}
_DENOMINATORS = (1, 2, 4, 8)  # at which libjpeg decodes directly, from fewer coefficients of each block


def decode_window(encoded: tf.Tensor, window: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Decodes a window of a JPEG and resizes it (bilinear, antialiased), computing no more pixels than that needs.

    The window is decoded at the smallest of 1, 1/2, 1/4 and 1/8 of its size that leaves both its sides no smaller than those
    of the result. At 1/d, a pixel stands for d x d pixels whose corner is a multiple of d, so that a window that begins or
    ends between two of them is decoded to the next and resized from where it lies, to fractions of a pixel. Against the
    whole decoding, views of photographs differ by 3 gray levels on average at exactly 2 pixels of the window to one of the
    result, by 1.7 at 2.5.

    Args:
        encoded: String scalar, a JPEG.
        window: int32 [4]: top, left, height, width, in pixels of the image.
        height: Height of the result, in pixels.
        width: Width of the result, in pixels.

    Returns:
        float32 [height, width, 3], values 0..255.
    """
    size = tf.stack([height, width])
    times = tf.reduce_min(window[2:] // size)
    number = sum(tf.cast(times >= denominator, tf.int32) for denominator in _DENOMINATORS[1:])
    denominator = tf.gather(_DENOMINATORS, number)
    begin = window[:2] // denominator
    end = (window[:2] + window[2:] + denominator - 1) // denominator
    decoded = tf.concat([begin, end - begin], axis=0)
    pixels = tf.switch_case(number, [
        lambda ratio=ratio: tf.io.decode_and_crop_jpeg(encoded, decoded, ratio=ratio, **_JPEG) for ratio in _DENOMINATORS])
    scale = tf.cast(size * denominator, tf.float32) / tf.cast(window[2:], tf.float32)
    offset = tf.cast(window[:2] % denominator, tf.float32) / tf.cast(denominator, tf.float32)
    image = tf.raw_ops.ScaleAndTranslate(images=pixels[None], size=size, scale=scale, translation=-scale * offset,
                                         kernel_type="triangle", antialias=True)[0]
    return tf.ensure_shape(image, [*(side if isinstance(side, int) else None for side in (height, width)), 3])


def _cut(encoded: tf.Tensor, size: Size, seed: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    height, width = (size, size) if isinstance(size, int) else size
    if augmentation.oversize:
        covered = [tf.cast(tf.round(augmentation.oversize * tf.cast(side, tf.float32)), tf.int32)
                   for side in (height, width)]
        return resize_to_cover(tf.io.decode_jpeg(encoded, **_JPEG), *covered)
    if augmentation.area == (1, 1):
        return resize(tf.io.decode_jpeg(encoded, **_JPEG), height, width)
    shape = tf.io.extract_jpeg_shape(encoded)
    window = (random_window(shape, seed, augmentation) if isinstance(size, int)
              else _window_for(shape, height, width, seed, augmentation))
    return decode_window(encoded, window, height, width)


def _window_for(shape: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor, seed: tf.Tensor,
                augmentation: Augmentation) -> tf.Tensor:
    """Draws a window for a rectangle as if the image were squeezed so that the result is a square."""
    squeeze = tf.cast(height, tf.float64) / tf.cast(width, tf.float64)

    def scaled(pixels: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.floor(tf.cast(pixels, tf.float64) * factor), tf.int32)

    squeezed = tf.maximum(1, scaled(shape[1], squeeze))
    top, left, cut_height, cut_width = tf.unstack(
        random_window(tf.stack([shape[0], squeezed, shape[2]]), seed, augmentation))
    stretch = tf.cast(shape[1], tf.float64) / tf.cast(squeezed, tf.float64)
    return tf.stack([top, scaled(left, stretch), cut_height, tf.maximum(1, scaled(cut_width, stretch))])


def _turn(image: tf.Tensor, size: tuple[int | tf.Tensor, int | tf.Tensor], seed: tf.Tensor,
          augmentation: Augmentation) -> tf.Tensor:
    seeds = tf.random.split(seed, 3)
    step = tf.random.stateless_uniform([2], seeds[0], 1 - augmentation.zoom, 1 + augmentation.zoom)
    free = tf.cast(tf.shape(image)[:2], tf.float32) - step * tf.cast(tf.stack(size), tf.float32)
    begin = free * tf.random.stateless_uniform([2], seeds[1])
    limit = math.radians(augmentation.rotation)
    angle = tf.random.stateless_uniform([], seeds[2], -limit, limit)
    if not (augmentation.rotation or augmentation.zoom):
        begin, step = tf.round(begin), tf.ones([2])
    return warp(image, size, begin, step, angle)


_PLAIN = {"flip": False, "brightness": 0.0, "contrast": 0.0}

AUGMENTATIONS: Registry[Augmentation] = Registry("augmentation")
AUGMENTATIONS.add("default", Augmentation())
AUGMENTATIONS.add("none", Augmentation(area=(1, 1), **_PLAIN))
AUGMENTATIONS.add("recognition", Augmentation(**_PLAIN | {
    "oversize": 256 / 224, "flip": True, "illumination": 0.25, "rotation": 45}))
AUGMENTATIONS.add("delg", Augmentation(area=(0.08, 1), aspect=(3 / 4, 4 / 3), **_PLAIN))
AUGMENTATIONS.add("glam", Augmentation(**_PLAIN | {"area": (1, 1), "brightness": 0.1, "zoom": 0.2}))
"""Augmentations by name:

* default: for a few thousand images.
* none: the whole image, stretched.
* recognition: the landmark recognition study on 27 landmarks of GLDv1; at 224 pixels its crops come from 256. Its
  notebook cuts out 8 to 100 % of the area instead, its report says "random crop 224".
* delg: Cao, Araujo, Sim, ECCV 2020, tensorflow/models `delf/python/datasets/googlelandmarks`. (Its least object of 0.1
  also refuses the few areas from 0.08 to 0.1.)
* glam: Song, Han, Avrithis, WACV 2022, after Yokoo et al., Landmark2019-1st-and-3rd-Place-Solution: made for
  rectangles, as `samplers.aspect_sampler` gives them.
"""

_OVERSIZE = 256 / 224
_MAX_ANGLE = 45.0


def squash(image: tf.Tensor, side: int, number: tf.Tensor) -> tf.Tensor:
    """Resizes the whole image to a square, whatever its aspect ratio; see `resize_square`.

    Args:
        image: uint8 [H, W, 3].
        side: Side of the result, in pixels.
        number: int64 scalar, place of the image in the dataset; unused.

    Returns:
        float32 [side, side, 3].
    """
    del number
    return resize_square(image, side)


def center_crop(image: tf.Tensor, side: int, number: tf.Tensor) -> tf.Tensor:
    """Resizes the short side to 256 / 224 of `side`, then cuts `side` x `side` pixels out of the center.

    Args and result are those of `squash`.
    """
    del number
    image = _oversized(image, side)
    begin = (tf.shape(image)[:2] - side) // 2
    return tf.ensure_shape(tf.slice(image, tf.concat([begin, [0]], 0), [side, side, 3]), [side, side, 3])


def center_crop_rotated(image: tf.Tensor, side: int, number: tf.Tensor) -> tf.Tensor:
    """Center crop of the image rotated by up to 45 degrees, a test on images that are not upright.

    The angle depends on `number` alone; corners from outside the image are black. Args and result are those of `squash`.
    """
    image = _oversized(image, side)
    begin = tf.cast((tf.shape(image)[:2] - side) // 2, tf.float32)
    limit = math.radians(_MAX_ANGLE)
    angle = tf.random.stateless_uniform([], tf.stack([tf.cast(number, tf.int64), 0]), -limit, limit)
    return warp(image, (side, side), begin, tf.ones([2]), angle)


VIEWS: dict[str, Callable[[tf.Tensor, int, tf.Tensor], tf.Tensor]] = {
    "stretch": squash, "centre_crop": center_crop, "centre_crop_rotated": center_crop_rotated}
"""Views for evaluation by name: functions of image, side and number, see `squash`."""


def _oversized(image: tf.Tensor, side: int) -> tf.Tensor:
    covered = int(side * _OVERSIZE + 0.5)
    return resize_to_cover(image, covered, covered)
