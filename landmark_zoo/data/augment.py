"""Random views of a photograph, a pure function of its bytes and a seed."""

from dataclasses import dataclass

import tensorflow as tf

from landmark_zoo.data.resize import resize_square


@dataclass(frozen=True)
class Augmentation:
    """How far a random view may be from the photograph.

    The crop is that of Szegedy et al., "Going deeper with convolutions", CVPR 2015, sec. 6, with a larger least area:
    a landmark must stay recognisable.

    Attributes:
        area: Least and greatest part of the picture's area that is cut out.
        aspect: Least and greatest width / height of the cut.
        flip: Mirror every second picture.
        brightness: Greatest shift of all values, as a part of 255.
        contrast: Greatest change of the values' distance from their mean, as a part of it.
    """

    area: tuple[float, float] = (0.4, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    flip: bool = True
    brightness: float = 0.1
    contrast: float = 0.2

    def __post_init__(self):
        if not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError(f"Expected 0 < least area <= greatest area <= 1; received {self.area}.")
        if not 0 < self.aspect[0] <= self.aspect[1]:
            raise ValueError(f"Expected 0 < least aspect <= greatest aspect; received {self.aspect}.")
        if not (0 <= self.brightness <= 1 and 0 <= self.contrast <= 1):
            raise ValueError("Expected brightness and contrast from 0 to 1; "
                             f"received {self.brightness} and {self.contrast}.")


def augment(encoded: tf.Tensor, side: int, seed: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Cuts a random window out of a JPEG, resizes it to a square, and changes mirror, brightness and contrast.

    Only the window is decoded, with the fast discrete cosine transform.

    Args:
        encoded: String scalar, an RGB JPEG as records hold it.
        side: Of the result, in pixels.
        seed: Integers [2]; the same bytes and seed give the same result, eagerly and in a data set.
        augmentation: The ranges.

    Returns:
        float32 [side, side, 3], values 0..255.
    """
    seeds = tf.random.split(tf.cast(seed, tf.int32), 4)  # int64 seeds would draw other numbers
    window = random_window(tf.io.extract_jpeg_shape(encoded), seeds[0], augmentation)
    image = tf.io.decode_and_crop_jpeg(encoded, window, channels=3, dct_method="INTEGER_FAST", fancy_upscaling=False)
    image = resize_square(image, side)
    if augmentation.flip:
        image = tf.image.stateless_random_flip_left_right(image, seeds[1])
    shift = 255.0 * tf.random.stateless_uniform([], seeds[2], -augmentation.brightness, augmentation.brightness)
    factor = tf.random.stateless_uniform([], seeds[3], 1 - augmentation.contrast, 1 + augmentation.contrast)
    return change_light(image, shift, factor)


def random_window(shape: tf.Tensor, seed: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Draws a window within the ranges; the whole picture where none fits (long strips).

    Args:
        shape: int32 [3], the picture's height, width and channels.
        seed: Integers [2].
        augmentation: The ranges.

    Returns:
        int32 [4]: top, left, height, width.
    """
    whole = tf.constant([[[0.0, 0.0, 1.0, 1.0]]])
    begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
        shape, whole, seed, min_object_covered=0.0, aspect_ratio_range=augmentation.aspect,
        area_range=augmentation.area)
    return tf.concat([begin[:2], size[:2]], axis=0)


def change_light(image: tf.Tensor, shift: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Returns (image - mean) * factor + mean + shift, cut to 0..255, with one mean per channel.

    Args:
        image: float32 [H, W, C].
        shift: Scalar, in gray levels.
        factor: Scalar.
    """
    mean = tf.reduce_mean(image, axis=[0, 1], keepdims=True)
    return tf.clip_by_value(image * factor + (mean * (1 - factor) + shift), 0.0, 255.0)
