"""Image operations in TensorFlow: decoding, antialiased resizing, warping."""

import tensorflow as tf

from landmark_zoo.data.image_headers import BMP, GIF, JPEG, PNG, gif_first_frame, png_has_alpha

MIN_SIDE = 32

_BMP_HEADER = 54


@tf.autograph.experimental.do_not_convert
def decode_image(encoded: tf.Tensor, accurate: bool = True) -> tf.Tensor:
    """Decodes one JPEG, PNG, BMP or GIF (first frame) to RGB.

    Gray and CMYK become RGB, of 16-bit PNG the upper 8 bits count, transparent pixels of a PNG are laid on white, all
    as in `images.read_image`. An EXIF rotation is not applied and WebP is refused; records hold neither. Of BMP, colors of
    24 bits and palettes of 8 are decoded; the rest is refused. Of a GIF with transparent colors, or whose first frame does
    not fill its canvas, other pixels come out than Pillow's: `image_headers.read_header` names such files.

    Args:
        encoded: String scalar, bytes of the file.
        accurate: Decode JPEG as Pillow does, bit for bit (evaluation, serving); False is faster, with errors of a few
            gray levels (training).

    Returns:
        uint8 [H, W, 3].

    Raises:
        tf.errors.InvalidArgumentError: The bytes are no such image or a truncated one.
    """
    def jpeg() -> tf.Tensor:
        return tf.io.decode_jpeg(encoded, channels=3, fancy_upscaling=accurate,
                                 dct_method="INTEGER_ACCURATE" if accurate else "INTEGER_FAST")

    def any_other() -> tf.Tensor:
        return tf.io.decode_image(encoded, channels=3, expand_animations=False)

    def png() -> tf.Tensor:
        # Asked for an alpha that is not there, decode_png fills in an almost transparent one below 8 bits.
        return tf.cond(png_has_alpha(encoded), lambda: _on_white(tf.io.decode_png(encoded, channels=4)),
                       lambda: tf.io.decode_png(encoded, channels=3))

    def gif() -> tf.Tensor:
        return tf.io.decode_image(gif_first_frame(encoded), channels=3, expand_animations=False)

    def bmp() -> tf.Tensor:
        head = tf.io.decode_raw(tf.strings.substr(encoded, 0, _BMP_HEADER), tf.uint8)
        bits, packed = head[28], head[30]
        known = tf.debugging.Assert((packed == 0) & ((bits == 24) | (bits == 8)), ["BMP other than 24 or 8 bits a pixel"])
        with tf.control_dependencies([known]):
            return tf.cond(bits == 8, lambda: _look_up(encoded, head), any_other)

    def unknown() -> tf.Tensor:  # TensorFlow's own decoder takes WebP in its newer versions
        refused = tf.debugging.Assert(False, ["Unknown image file format: expected JPEG, PNG, GIF or BMP"])
        with tf.control_dependencies([refused]):
            return tf.zeros([1, 1, 3], tf.uint8)

    def starts_with(magic: bytes) -> tf.Tensor:
        return tf.strings.substr(encoded, 0, len(magic)) == magic

    image = tf.case([(starts_with(JPEG), jpeg), (starts_with(PNG), png), (starts_with(GIF), gif), (starts_with(BMP), bmp)],
                    default=unknown)
    return tf.ensure_shape(image, [None, None, 3])


def _look_up(encoded: tf.Tensor, head: tf.Tensor) -> tf.Tensor:
    """Returns the colors of a BMP with a palette, whose numbers TensorFlow's decoder gives."""
    sizes = tf.bitcast(tf.reshape(tf.gather(head, [14, 15, 16, 17, 46, 47, 48, 49]), [2, 4]), tf.int32)
    start, colors = 14 + sizes[0], tf.where(sizes[1] == 0, 256, sizes[1])
    palette = tf.io.decode_raw(tf.strings.substr(encoded, start, 4 * colors), tf.uint8)
    numbers = tf.io.decode_bmp(encoded)[..., 0]
    return tf.gather(tf.reshape(palette, [-1, 4])[:, 2::-1], tf.cast(numbers, tf.int32))


def _on_white(rgba: tf.Tensor) -> tf.Tensor:
    color, alpha = (tf.cast(part, tf.uint16) for part in (rgba[..., :3], rgba[..., 3:]))  # 16 bits hold 255 * 255 + 127
    return tf.cast((color * alpha + 255 * (255 - alpha) + 127) // 255, tf.uint8)


def resize(image: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Resizes to height x width pixels (bilinear, antialiased), whatever that does to the aspect ratio.

    Args:
        image: [H, W, C] or [B, H, W, C], any numeric type.
        height: Height of the result, in pixels.
        width: Width of the result, in pixels.

    Returns:
        float32 [height, width, C] or [B, height, width, C], in the range of the input's values.
    """
    return tf.image.resize(image, [height, width], method="bilinear", antialias=True)


def resize_long_side(image: tf.Tensor, side: int | tf.Tensor) -> tf.Tensor:
    """Resizes so that the longer side is exactly `side`, keeping the aspect ratio; shrinks and enlarges.

    The short side is short * side / long, rounded half up, and at least 32 px: only images thinner than 32 : `side`
    are widened for that.

    Args:
        image: [H, W, C] or [B, H, W, C], any numeric type.
        side: Longer side of the result, in pixels, at least 32.

    Returns:
        float32 [h, w, C] or [B, h, w, C] with max(h, w) == side.
    """
    if not tf.is_tensor(side):
        _check_side(side)
    shape = tf.shape(image)[-3:-1]
    long = tf.reduce_max(shape)
    size = tf.maximum(MIN_SIDE, (2 * shape * side + long) // (2 * long))
    return resize(image, size[0], size[1])


def resize_square(image: tf.Tensor, side: int) -> tf.Tensor:
    """Resizes to `side` x `side` pixels; other shapes are squashed, nothing is cut off.

    Args:
        image: [H, W, C] or [B, H, W, C], any numeric type.
        side: Side of the result, in pixels, at least 32.

    Returns:
        float32 [side, side, C] or [B, side, side, C].
    """
    _check_side(side)
    return resize(image, side, side)


def _check_side(side: int) -> None:
    if side < MIN_SIDE:
        raise ValueError(f"Expected a side of at least {MIN_SIDE} pixels; received {side}.")


def resize_to_cover(image: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Resizes to the smallest size that covers height x width, keeping the aspect ratio; shrinks and enlarges.

    With height = width, the short side becomes that long.

    Args:
        image: [H, W, C], any numeric type.
        height: Minimum height of the result, in pixels.
        width: Minimum width of the result, in pixels.

    Returns:
        float32 [h, w, C] with h >= height and w >= width, one of them equal.
    """
    target = tf.stack([height, width])
    shape = tf.cast(tf.shape(image)[:2], tf.float64)
    factor = tf.reduce_max(tf.cast(target, tf.float64) / shape)
    size = tf.maximum(target, tf.cast(tf.floor(shape * factor + 0.5), target.dtype))
    return resize(image, size[0], size[1])


def warp(image: tf.Tensor, size: tuple[int | tf.Tensor, int | tf.Tensor], begin: tf.Tensor, step: tf.Tensor,
         angle: float | tf.Tensor) -> tf.Tensor:
    """Rotates an image about its center and samples a window of the result, bilinearly; outside the image is black.

    Args:
        image: float32 [H, W, C].
        size: Height and width of the result, in pixels.
        begin: float32 [2], top and left edge of the window, in pixels of the image; may lie outside.
        step: float32 [2], pixels of the image per pixel of the result, down and across.
        angle: Rotation angle, counterclockwise, in radians.

    Returns:
        float32 [height, width, C].
    """
    cosine, sine = tf.cos(tf.cast(angle, tf.float32)), tf.sin(tf.cast(angle, tf.float32))
    center = tf.cast(tf.shape(image)[:2], tf.float32) / 2
    down, across = tf.unstack(begin + step / 2 - center)  # from the centre to the middle of the result's first pixel
    matrix = tf.stack([
        cosine * step[1], -sine * step[0], cosine * across - sine * down + center[1] - 0.5,
        sine * step[1], cosine * step[0], sine * across + cosine * down + center[0] - 0.5,
        0.0, 0.0])
    result = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None], transforms=matrix[None], output_shape=tf.stack(size), fill_value=0.0,
        interpolation="BILINEAR", fill_mode="CONSTANT")[0]
    static = [side if isinstance(side, int) else None for side in size]
    return tf.ensure_shape(result, [*static, image.shape[-1]])
