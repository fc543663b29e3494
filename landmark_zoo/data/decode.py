"""Bytes to pixels inside a TensorFlow graph."""

import tensorflow as tf

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_BIT_DEPTH = 24
_JPEG = b"\xff\xd8\xff"


def decode_image(encoded: tf.Tensor, accurate: bool = True) -> tf.Tensor:
    """Decodes one JPEG, PNG, BMP or GIF (first frame) to RGB.

    Gray and CMYK become RGB, of 16-bit PNG the upper 8 bits count, transparent pixels of a PNG are laid on white, all
    as in `photograph.read_photograph`. An EXIF rotation is not applied and WebP is refused; records hold neither.

    Args:
        encoded: String scalar.
        accurate: Decode JPEG as Pillow does, bit for bit (evaluation, serving); False is faster, with errors of a few
            gray levels (training).

    Returns:
        uint8 [H, W, 3].

    Raises:
        tf.errors.InvalidArgumentError: The bytes are no such picture or a truncated one.
    """
    def jpeg() -> tf.Tensor:
        return tf.io.decode_jpeg(encoded, channels=3, fancy_upscaling=accurate,
                                 dct_method="INTEGER_ACCURATE" if accurate else "INTEGER_FAST")

    def any_other() -> tf.Tensor:
        return tf.io.decode_image(encoded, channels=3, expand_animations=False)

    def png() -> tf.Tensor:
        # Below 8 bits decode_png fills in an alpha of 2**bits - 1, that is almost transparent.
        head = tf.io.decode_raw(tf.strings.substr(encoded, 0, _PNG_BIT_DEPTH + 1), tf.uint8)
        return tf.cond(head[-1] < 8, any_other, lambda: _on_white(tf.io.decode_png(encoded, channels=4)))

    def starts_with(magic: bytes) -> tf.Tensor:
        return tf.strings.substr(encoded, 0, len(magic)) == magic

    image = tf.cond(starts_with(_JPEG), jpeg, lambda: tf.cond(starts_with(_PNG), png, any_other))
    return tf.ensure_shape(image, [None, None, 3])


def _on_white(rgba: tf.Tensor) -> tf.Tensor:
    colour, alpha = tf.cast(rgba[..., :3], tf.float32), tf.cast(rgba[..., 3:], tf.float32) / 255.0
    return tf.cast(tf.round(colour * alpha + 255.0 * (1.0 - alpha)), tf.uint8)
