"""Headers of JPEG, PNG, GIF and BMP files, read in TensorFlow operations alone.

Before anything is decoded, `read_header` says how large an image is, how it lies, and why it cannot be decoded to the pixels
that Pillow gives (`datasets.images`). All positions are checked against the end of the bytes: whatever the bytes are, the
functions return.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from landmark_zoo.data.datasets.images import MAX_PIXELS, MIN_SIDE

FORMATS = "JPEG, PNG, GIF (first frame) and BMP (24 bits, or a palette of 8)"
JPEG, PNG, GIF, BMP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM"
MAX_PARTS = 2**16
"""Segments, chunks or blocks that are looked at; each takes some microseconds."""

_OTHERS = {"a WebP file": rb"RIFF\C{4}WEBP\C*", "a TIFF file": rb"(II\*\x00|MM\x00\*)\C*",
           "a HEIC or AVIF file": rb"\C{4}ftyp(hei|hev|mif|msf|avi)\C*"}
_XMP = rb'\C*?tiff:Orientation(?:="|>)([0-9])\C*'
_ORIENTATION_TAG, _SHORT, _LONG = 0x0112, 3, 4  # tag and types of TIFF
_END = np.int64(-1)
Step = Callable[[tf.Tensor, dict[str, tf.Tensor]], tuple[tf.Tensor, dict[str, tf.Tensor]]]


class Header(NamedTuple):
    """What the header of an image file says.

    Attributes:
        height: Height of the image as stored, in pixels, int64 scalar; 0 where the header is damaged.
        width: Width of the image as stored.
        orientation: EXIF orientation, 1 to 8, int64 scalar; 1 without one or with a damaged one.
        fault: Why the file cannot be decoded, string scalar; "" where nothing is known against it.
    """

    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor
    fault: tf.Tensor


@tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)  # traced once in a process
def read_header(encoded: tf.Tensor) -> Header:
    """Returns the header of an image file; it never fails.

    JPEGs are searched for EXIF and XMP, PNGs for their chunks of these; GIF and BMP have none.

    Args:
        encoded: String scalar, bytes of the file; any bytes.
    """
    data = tf.io.decode_raw(encoded, tf.uint8)

    def starts_with(magic: bytes) -> tf.Tensor:
        return tf.strings.substr(encoded, 0, len(magic)) == magic

    header = Header(*tf.case(
        [(starts_with(JPEG), lambda: _jpeg(encoded, data)), (starts_with(PNG), lambda: _png(encoded, data)),
         (starts_with(GIF), lambda: _gif(data)), (starts_with(BMP), lambda: _bmp(data))],
        default=lambda: _other(encoded)))
    sizes = (header.height, header.width)
    small = tf.minimum(*sizes) < MIN_SIDE
    large = header.height * header.width > MAX_PIXELS
    by_size = tf.where(
        large, tf.strings.format(f"one that is too large: {{}} x {{}} px, more than {MAX_PIXELS:,} in all", sizes),
        tf.strings.format(f"one of {{}} x {{}} px, smaller than {MIN_SIDE}", sizes))
    fault = tf.where((header.fault == "") & (small | large), by_size, header.fault)
    return header._replace(fault=fault)


@tf.autograph.experimental.do_not_convert
def turn_upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns an image as its EXIF orientation says.

    Args:
        image: [H, W, C].
        orientation: 1 to 8, int64 scalar.

    Returns:
        [H, W, C], or [W, H, C] for 5 to 8.
    """
    def is_one_of(*values: int) -> tf.Tensor:
        return tf.reduce_any(orientation == tf.constant(values, tf.int64))

    image = tf.cond(orientation >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
    image = tf.cond(is_one_of(3, 4, 7, 8), lambda: image[::-1], lambda: image)
    return tf.cond(is_one_of(2, 3, 6, 7), lambda: image[:, ::-1], lambda: image)


def png_has_alpha(encoded: tf.Tensor) -> tf.Tensor:
    """Returns whether a PNG has an alpha channel or transparent colors; those of 16 bits do not count, as in Pillow.

    Args:
        encoded: String scalar, bytes of the file.
    """
    data = tf.io.decode_raw(encoded, tf.uint8)
    bits, color = tf.unstack(_take(data, 24, 2))
    _, heads = _png_chunks(data, past_pixels=False)
    return (color >= 4) | (tf.reduce_any(_equal(heads[:, 4:8], b"tRNS")) & (bits <= 8))


def gif_first_frame(encoded: tf.Tensor) -> tf.Tensor:
    """Returns a GIF without what comes after its first frame, which TensorFlow would decode as well, frame by frame.

    Args:
        encoded: String scalar, bytes of the file; broken ones come back as they are, or cut where they break off.
    """
    end = _gif_blocks(tf.io.decode_raw(encoded, tf.uint8))["end"]
    first = tf.strings.substr(encoded, tf.zeros_like(end), end)
    return tf.where(end > 0, tf.strings.join([first, b";"]), encoded)


def _take(data: tf.Tensor, start: int | tf.Tensor, size: int) -> tf.Tensor:
    """Returns `size` bytes from `start` on, uint8 [size]; what lies past the end is 0."""
    part = data[start:start + size]
    return tf.ensure_shape(tf.pad(part, [[0, size - tf.size(part)]]), [size])


def _number(data: tf.Tensor, little: bool | tf.Tensor = False) -> tf.Tensor:
    """Returns unsigned numbers, int64 [...].

    Args:
        data: Their bytes, uint8 [..., S], S at most 4.
        little: The last byte comes first.
    """
    weights = tf.constant([256**place for place in reversed(range(data.shape[-1]))], tf.int64)
    return tf.reduce_sum(tf.cast(data, tf.int64) * tf.where(little, weights[::-1], weights), axis=-1)


def _walk(start: int | tf.Tensor, data: tf.Tensor, step: Step, **found: int) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Follows a chain of parts until it ends, leaves the bytes, or is longer than `MAX_PARTS`.

    Args:
        start: Position of the first part.
        data: uint8 [N].
        step: From a position and what was found to the next position, `_END` at the end of the chain, and what is found.
        found: Numbers to begin with.

    Returns:
        Positions of the parts, int64 [n], the last of them `_END` where the chain came to its end; and what was found.
    """
    def go_on(count, position, *_):
        return (count < MAX_PARTS) & (position >= 0) & (position < tf.size(data, tf.int64))

    def body(count, position, positions, values):
        onward, values = step(position, dict(values))
        return count + 1, onward, positions.write(count, position), values

    values = {key: tf.constant(value, tf.int64) for key, value in found.items()}
    positions = tf.TensorArray(tf.int64, 0, dynamic_size=True, element_shape=[])
    count, position, positions, values = tf.while_loop(go_on, body, (0, tf.cast(start, tf.int64), positions, values))
    return positions.write(count, position).stack(), values


def _heads(data: tf.Tensor, positions: tf.Tensor, size: int) -> tf.Tensor:
    """Returns the first bytes of each part, uint8 [n, size]; zeros at `_END` and past the end of the bytes."""
    padded = tf.pad(data, [[0, size]])
    begin = tf.where((positions >= 0) & (positions < tf.size(data, tf.int64)), positions, tf.size(data, tf.int64))
    return tf.ensure_shape(tf.gather(padded, begin[:, tf.newaxis] + tf.range(size, dtype=tf.int64)), [None, size])


def _last(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Returns the last of int64 [n] where the mask holds; 0 where it holds nowhere."""
    return tf.concat([[np.int64(0)], tf.boolean_mask(values, mask)], 0)[-1]


def _header(height, width, orientation=1, fault: str | tf.Tensor = "") -> tuple[tf.Tensor, ...]:
    return (*(tf.cast(number, tf.int64) for number in (height, width, orientation)), tf.convert_to_tensor(fault))


def _first_fault(*faults: tuple[tf.Tensor, str | tf.Tensor]) -> tf.Tensor:
    """Returns the text beside the first condition that holds; "" where none does."""
    text = tf.constant("")
    for condition, fault in reversed(faults):
        text = tf.where(condition, fault, text)
    return text


def _jpeg(encoded: tf.Tensor, data: tf.Tensor) -> tuple[tf.Tensor, ...]:
    def kinds(heads):
        """Returns which are junk (or one of several bytes before a marker), and which are markers without a length."""
        between = (heads[..., 0] != 0xFF) | (heads[..., 1] == 0xFF)
        return between, (heads[..., 1] <= 1) | ((heads[..., 1] >= 0xD0) & (heads[..., 1] <= 0xD9))

    def step(position, found):
        head = _take(data, position, 4)
        between, alone = kinds(head)
        size = tf.where(between, np.int64(1), tf.where(alone, np.int64(2), 2 + _number(head[2:])))
        return tf.where((head[1] == 0xDA) & ~between, _END, position + size), found

    positions, _ = _walk(2, data, step)
    heads = _heads(data, positions, 33)
    between, alone = kinds(heads)
    marker = tf.where(between | alone, tf.constant(0, tf.uint8), heads[:, 1])
    frame = (marker >= 0xC0) & (marker <= 0xCF) & (marker != 0xC4) & (marker != 0xC8) & (marker != 0xCC)
    height, width = (_last(_number(heads[:, start:start + 2]), frame) for start in (5, 7))
    ends = positions + 2 + _number(heads[:, 2:4])
    exif = (marker == 0xE1) & _equal(heads[:, 4:10], b"Exif\0\0")
    xmp = (marker == 0xE1) & _equal(heads[:, 4:33], b"http://ns.adobe.com/xap/1.0/\0")
    orientation = _orientation(encoded, data, (_last(positions[::-1] + 10, exif[::-1]), _last(ends[::-1], exif[::-1])),
                               (_last(positions + 33, xmp), _last(ends, xmp)))
    whole = (positions[-1] == _END) & (height > 0) & (width > 0)
    return _header(height, width, orientation, _first_fault((~whole, "a damaged or cut-off JPEG")))


def _png(encoded: tf.Tensor, data: tf.Tensor) -> tuple[tf.Tensor, ...]:
    positions, heads = _png_chunks(data, past_pixels=True)
    begins, ends, kinds = positions + 8, positions + 8 + _number(heads[:, :4]), heads[:, 4:8]
    packed_text, unicode_text = _equal(kinds, b"zTXt"), _equal(kinds, b"iTXt")
    text = _equal(kinds, b"tEXt") | packed_text | unicode_text
    exif, raw = _equal(kinds, b"eXIf"), text & _equal(heads[:, 8:30], b"Raw profile type exif\0")
    xmp = text & _equal(heads[:, 8:26], b"XML:com.adobe.xmp\0")
    packed = xmp & (packed_text | (unicode_text & (heads[:, 26] != 0)))
    orientation = _orientation(encoded, data, (_last(begins, exif), _last(ends, exif)),
                               (_last(begins, xmp & ~packed), _last(ends, xmp & ~packed)))
    first = _take(data, 12, 12)
    whole = _equal(first[:4], b"IHDR") & tf.reduce_any(_equal(kinds, b"IDAT"))
    return _header(_number(first[8:]), _number(first[4:8]), orientation, _first_fault(
        (~whole, "a damaged or cut-off PNG"),
        (tf.reduce_any(packed | raw) & ~tf.reduce_any(exif), "a PNG whose EXIF lies in a text, not in a chunk eXIf")))


def _png_chunks(data: tf.Tensor, past_pixels: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the positions of a PNG's chunks, int64 [n], and their first bytes, uint8 [n, 31].

    Args:
        data: uint8 [N].
        past_pixels: Look behind the pixels too, where EXIF and XMP may lie.
    """
    def step(position, found):
        head = _take(data, position, 8)
        end = _equal(head[4:], b"IEND") if past_pixels else _equal(head[4:], b"IEND") | _equal(head[4:], b"IDAT")
        return tf.where(end, _END, position + 12 + _number(head[:4])), found

    positions, _ = _walk(len(PNG), data, step)
    return positions, _heads(data, positions, 31)


def _gif(data: tf.Tensor) -> tuple[tf.Tensor, ...]:
    found, canvas = _gif_blocks(data), _take(data, 6, 4)
    frame = _take(data, found["frame"] + 1, 8)
    fills = _equal(frame[:4], bytes(4)) & tf.reduce_all(frame[4:] == canvas)
    return _header(_number(canvas[2:], little=True), _number(canvas[:2], little=True), 1, _first_fault(
        (found["end"] == 0, "a damaged or cut-off GIF"),
        (found["transparent"] > 0, "a GIF with a transparent color"),
        (~fills, "a GIF whose first frame does not fill its canvas")))


def _gif_blocks(data: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns where the first frame of a GIF begins ("frame") and ends ("end"), and whether it has a transparent color."""
    def colors(flags: tf.Tensor) -> tf.Tensor:
        """Returns the bytes of a table of colors."""
        flags = tf.cast(flags, tf.int64)
        return tf.where(flags >= 128, 3 * 2 ** (tf.bitwise.bitwise_and(flags, 7) + 1), 0)

    def step(position, found):
        head = _take(data, position, 10)
        kind, inside = head[0], found["inside"] > 0  # inside: among sub-blocks, which an empty one ends
        extension, frame, last = ~inside & (kind == 0x21), ~inside & (kind == 0x2C), inside & (kind == 0)
        done = last & (found["frame"] > 0)
        found["transparent"] = tf.where(extension & (head[1] == 0xF9), tf.cast(head[3] & 1, tf.int64), found["transparent"])
        found["end"] = tf.where(done, position + 1, found["end"])
        found["frame"] = tf.where(frame, position, found["frame"])
        found["inside"] = tf.cast(tf.where(inside, ~last, extension | frame), tf.int64)
        step_size = tf.where(inside, 1 + tf.cast(kind, tf.int64), tf.where(
            extension, np.int64(2), 11 + colors(head[9])))
        return tf.where(done | ~(inside | extension | frame), _END, position + step_size), found

    return _walk(13 + colors(_take(data, 10, 1)[0]), data, step, frame=0, end=0, transparent=0, inside=0)[1]


def _bmp(data: tf.Tensor) -> tuple[tf.Tensor, ...]:
    head = _take(data, 0, 54)
    height, width, packing = (_number(head[start:start + 4], little=True) for start in (22, 18, 30))
    height = tf.where(height >= 2**31, 2**32 - height, height)  # negative where the first row is the uppermost
    bits = _number(head[28:30], little=True)
    whole = (tf.size(data) >= 54) & (_number(head[14:18], little=True) >= 40)
    known = (packing == 0) & ((bits == 8) | (bits == 24))
    return _header(height, width, 1, _first_fault(
        (~whole, "a damaged or cut-off BMP, or one of OS/2"),
        (~known, tf.strings.format("a BMP of {} bits a pixel, compression {}", (bits, packing)))))


def _other(encoded: tf.Tensor) -> tuple[tf.Tensor, ...]:
    head = tf.strings.substr(encoded, 0, 32)
    kinds = [(tf.strings.regex_full_match(head, pattern), name) for name, pattern in _OTHERS.items()]
    return _header(MIN_SIDE, MIN_SIDE, 1, _first_fault((encoded == "", "an empty file"), *kinds,
                                                       (tf.constant(True), "something else")))


def _equal(parts: tf.Tensor, expected: bytes) -> tf.Tensor:
    """Returns whether bytes, uint8 [..., S], are those expected, bool [...]."""
    return tf.reduce_all(parts == tf.constant(list(expected), tf.uint8), axis=-1)


def _orientation(encoded: tf.Tensor, data: tf.Tensor, exif: tuple[tf.Tensor, tf.Tensor],
                 xmp: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Returns the orientation of the EXIF, else that of the XMP, else 1; of both the first byte and the end are given."""
    by_exif = _exif_orientation(data[exif[0]:exif[1]])
    start = tf.minimum(xmp[0], tf.size(data, tf.int64))
    text = tf.strings.substr(encoded, start, tf.maximum(xmp[1] - start, 0))
    digit = _number(_take(tf.io.decode_raw(tf.strings.regex_replace(text, _XMP, r"\1"), tf.uint8), 0, 1)) - ord("0")
    orientation = tf.where((by_exif < 0) & tf.strings.regex_full_match(text, _XMP), digit, by_exif)
    return tf.where((orientation >= 1) & (orientation <= 8), orientation, 1)


def _exif_orientation(tiff: tf.Tensor) -> tf.Tensor:
    """Returns the number under the orientation tag in the first directory of EXIF, int64 scalar.

    It is negative where there is no such tag, and 0 where the EXIF or the tag is damaged.

    Args:
        tiff: EXIF from its byte order on, uint8 [N]; any bytes.
    """
    head = _take(tiff, 0, 8)
    little = _equal(head[:2], b"II")
    known = (little | _equal(head[:2], b"MM")) & (tf.reduce_sum(tf.cast(head[2:4], tf.int32)) == 42)
    start = _number(head[4:], little)
    count = tf.minimum(_number(_take(tiff, start, 2), little), tf.maximum(tf.size(tiff, tf.int64) - start - 2, 0) // 12)
    entries = tf.reshape(tiff[start + 2:start + 2 + 12 * count], [-1, 12])  # tag, type, number of values, value
    tags, numbers = _number(entries[:, :2], little), _number(entries[:, 4:8], little)
    last = tf.reduce_max(tf.concat([[_END], tf.where((tags == _ORIENTATION_TAG) & (numbers > 0), tf.range(count), _END)], 0))
    entry = tf.pad(entries, [[1, 0], [0, 0]])[last + 1]
    kind = _number(entry[2:4], little)
    value = tf.where(kind == _SHORT, _number(entry[8:10], little), _number(entry[8:12], little))
    value = tf.where((kind == _SHORT) | (kind == _LONG), value, 0)
    nothing = (tf.size(tiff) == 0) | (known & (last < 0))
    return tf.where(nothing, _END, tf.where(known, value, 0))
