"""Image files as upright RGB JPEGs, and boxes cut out of them (Pillow).

`read_image` is the one reader of the records, of embedding and of the pages, so that a file gives one set of pixels
everywhere or is refused everywhere.
"""

import contextlib
import io
import math
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_formats import FORMATS, undecodable

MIN_SIDE = 32
MAX_PIXELS = Image.MAX_IMAGE_PIXELS
MAX_BYTES = 2**29
QUALITY = 95

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_BIT_DEPTH = 24
_ORIENTATION = 0x0112
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class InvalidImageError(Exception):
    """Error of a file that holds no usable image.

    Args:
        reason: Reason for the list of skipped images, one line.
    """

    def __init__(self, reason: str):
        self.reason = " ".join(reason.split())
        super().__init__(self.reason)


@dataclass(frozen=True)
class EncodedImage:
    """An RGB JPEG and its sizes in pixels.

    Attributes:
        encoded: Bytes of the JPEG.
        height: Height of the JPEG.
        width: Width of the JPEG.
        original_height: Height of the source, turned like the JPEG but not shrunk: boxes are measured in it.
        original_width: Width of the source, turned like the JPEG but not shrunk.
    """

    encoded: bytes
    height: int
    width: int
    original_height: int
    original_width: int


def read_image(source: str | Path | bytes, *, max_side: int | None = None, apply_exif: bool = True) -> EncodedImage:
    """Reads an image file as an upright RGB JPEG.

    A JPEG that is upright, RGB and small enough already keeps its bytes. Everything else is decoded and encoded anew
    with quality 95: gray and CMYK become RGB, 16 bits become the upper 8, transparent pixels are laid on white, of an
    animation the first frame counts.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("L", (640, 480)).save(file, "PNG")
        >>> image = read_image(file.getvalue(), max_side=320)
        >>> image.height, image.width, image.original_width
        (240, 320, 640)

    Args:
        source: Path of the file, or its bytes.
        max_side: Longest side allowed, in pixels; a larger image is shrunk (Lanczos) to exactly this, a smaller
            one is never enlarged. The short side is rounded half up and stays at least 32 px.
        apply_exif: Turn the image as its EXIF orientation says. False for benchmarks whose boxes are measured in the
            pixels as stored (Oxford, Paris).

    Raises:
        InvalidImageError: The file is missing, empty, truncated or not an image; a side is under 32 px; or it holds more
            pixels than `MAX_PIXELS`.
    """
    if max_side is not None and max_side < MIN_SIDE:
        raise ValueError(f"Expected max_side of at least {MIN_SIDE}; received {max_side}.")
    data = source if isinstance(source, bytes) else read_bytes(source)
    with _named_reasons(data):
        image = _loaded(data)
        turn = _TURN.get(_orientation(image)) if apply_exif else None
        pixels = image if turn is None else image.transpose(turn)
        shrunk = max_side is not None and max(pixels.size) > max_side
        if image.format == "JPEG" and image.mode == "RGB" and turn is None and not shrunk:
            return EncodedImage(data, image.height, image.width, image.height, image.width)
        rgb = _rgb(pixels)
        if shrunk:
            rgb = rgb.resize(_fitted(rgb.size, max_side), Image.Resampling.LANCZOS)
        return EncodedImage(_encoded(rgb, "JPEG", quality=QUALITY), rgb.height, rgb.width, pixels.height, pixels.width)


def read_lossless(source: str | Path | bytes, *, apply_exif: bool = True, box: Sequence[float] | None = None,
                  name: str = "the image") -> bytes:
    """Returns an image file, or a box in it, as bytes that `serving_default` decodes to the pixels of `read_image`.

    A JPEG in RGB or gray without an EXIF orientation keeps its bytes. Everything else becomes a PNG of the same pixels; so
    does a JPEG that has an orientation and shall not be turned, as `serving_default` would turn it.

    Args:
        source: Path of the file, or its bytes.
        apply_exif: Turn the image as its EXIF orientation says.
        box: Corners x1, y1, x2, y2 in pixels of the image, turned or not; None for the whole image.
        name: Name of the image, for the error about a box.

    Raises:
        InvalidImageError: As `read_image`, or a box under 32 px.
        UserError: A box that is empty or reaches out of the image.
    """
    data = source if isinstance(source, bytes) else read_bytes(source)
    with _named_reasons(data):
        image = _loaded(data)
        turn = _TURN.get(_orientation(image))
        if image.format == "JPEG" and image.mode in ("RGB", "L") and turn is None and box is None:
            return data
        rgb = _rgb(image.transpose(turn) if apply_exif and turn is not None else image)
        if box is not None:
            rgb = crop(rgb, box, name)
            if min(rgb.size) < MIN_SIDE:
                raise InvalidImageError(f"a box of {rgb.height} x {rgb.width} px, smaller than {MIN_SIDE}")
        return _encoded(rgb, "PNG", compress_level=1, exif=b"")


@contextlib.contextmanager
def _named_reasons(data: bytes) -> Iterator[None]:
    """Turns whatever Pillow raises about an image file's bytes into an InvalidImageError with its reason."""
    try:
        yield
    except (InvalidImageError, UserError, MemoryError):
        raise
    except Image.UnidentifiedImageError as error:
        raise InvalidImageError(f"not an image ({', '.join(FORMATS)})") from error
    except Exception as error:  # Pillow's parsers raise whatever a broken file makes them trip over
        raise InvalidImageError(f"{type(error).__name__}: {error}") from error


def read_bytes(path: str | Path) -> bytes:
    """Returns the bytes of an image file; pipes, devices and files past `MAX_BYTES` are an `InvalidImageError`."""
    try:
        facts = os.stat(path)
        if stat.S_ISDIR(facts.st_mode):
            raise InvalidImageError("is a directory")
        if not stat.S_ISREG(facts.st_mode):
            raise InvalidImageError("not a regular file")
        if facts.st_size > MAX_BYTES:
            raise InvalidImageError(f"{facts.st_size:,} bytes, more than {MAX_BYTES:,}")
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidImageError((error.strerror or str(error)).lower()) from error
    except ValueError as error:  # a NUL in the name
        raise InvalidImageError(str(error)) from error


def _loaded(data: bytes) -> Image.Image:
    if not data:
        raise InvalidImageError("empty file")
    try:
        return _open(data)
    except (ValueError, SyntaxError, Image.UnidentifiedImageError):
        bare = _without_profiles(data)
        if bare == data:
            if reason := undecodable(data):
                raise InvalidImageError(reason) from None
            raise
        return _open(bare)


def _open(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:  # twice as many as `MAX_PIXELS`
        raise InvalidImageError(f"too large, more than {MAX_PIXELS:,} px in all") from error
    _check_size(image)
    image.load()
    if image.format == "PNG" and "transparency" in image.info:
        _mend_transparency(image, bits=data[_PNG_BIT_DEPTH])
    return image


def _mend_transparency(image: Image.Image, bits: int) -> None:
    """Brings the transparent gray of a PNG to the range of the pixels, and drops a transparent color of 16 bits.

    Pillow spreads grays of 2 and 4 bits over 0..255 but leaves the transparent one as it is stored, and compares a color of
    16 bits with the upper 8 of the pixels.
    """
    if bits == 16:
        del image.info["transparency"]
    elif image.mode == "L" and bits < 8:
        image.info["transparency"] *= 255 // (2**bits - 1)


def _without_profiles(data: bytes) -> bytes:
    """Returns a PNG without its color profile and packed texts, which Pillow refuses when damaged or over 1 MB unpacked.

    Texts that may hold an orientation stay, and so does every chunk that bears on the pixels; checksums of the others are
    made good. Other files come back as they are.
    """
    if not data.startswith(_PNG):
        return data
    kept, start = [_PNG], len(_PNG)
    while start < len(data):
        end = start + 12 + int.from_bytes(data[start:start + 4], "big")  # length, kind, data, checksum
        kind, oriented = data[start + 4:start + 8], data.startswith((b"Raw profile type ", b"XML:"), start + 8)
        body, checksum = data[start + 4:end - 4], data[end - 4:end]
        if kind[:1].islower() and kind != b"tRNS":  # not about the pixels
            checksum = zlib.crc32(body).to_bytes(4, "big")
        if kind not in (b"iCCP", b"zTXt", b"iTXt") or oriented:
            kept += [data[start:start + 4], body, checksum]
        start = end
    return b"".join(kept)


def _orientation(image: Image.Image) -> int | None:
    """Returns the EXIF orientation; None without one or where the EXIF is damaged, as the pixels are whole even so."""
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # whatever damaged EXIF makes Pillow's parsers trip over
        return None


def _check_size(image: Image.Image) -> None:
    if min(image.size) < MIN_SIDE:
        raise InvalidImageError(f"{image.height} x {image.width} px, smaller than {MIN_SIDE}")
    if image.height * image.width > MAX_PIXELS:
        raise InvalidImageError(f"{image.height} x {image.width} px, too large, more than {MAX_PIXELS:,} in all")


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise InvalidImageError("32-bit pixels, whose white is not known")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Returns `size` scaled so that its longer part is `side`; the rule of `image_ops.resize_long_side`."""
    long = max(size)
    return tuple(max(MIN_SIDE, (2 * part * side + long) // (2 * long)) for part in size)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def check_box(box: Sequence[float], name: str) -> tuple[float, float, float, float]:
    """Returns a checked box as four floats.

    Args:
        box: Corners x1, y1, x2, y2 in pixels.
        name: Name of the image, for the error.

    Raises:
        UserError: Not four finite numbers with 0 <= x1 < x2 and 0 <= y1 < y2.
    """
    try:
        x1, y1, x2, y2 = numbers = tuple(float(number) for number in box)
        good = all(map(math.isfinite, numbers)) and 0 <= x1 < x2 and 0 <= y1 < y2
    except (TypeError, ValueError):
        good = False
    if not good:
        raise UserError(f"a box x1,y1,x2,y2 with 0 <= x1 < x2 and 0 <= y1 < y2 for {name}", f"{box}", "Mend the box.")
    return numbers


def crop(image: Image.Image, box: Sequence[float], name: str) -> Image.Image:
    """Returns the part of an image inside a box.

    The numbers are rounded to whole pixels, halves to the even one, as `PIL.Image.crop` does with floats and with it
    cirtorch; delf and CVNet round otherwise and may differ by a pixel.

    Args:
        image: Whole image.
        box: Corners x1, y1, x2, y2 with x1 < x2 and y1 < y2, in pixels of `image`.
        name: Name of the image, for the error.

    Raises:
        UserError: A box that is empty or reaches out of the image.
    """
    box = check_box(box, name)
    x1, y1, x2, y2 = map(round, box)
    if x1 == x2 or y1 == y2 or x2 > image.width or y2 > image.height:
        raise UserError(f"a box inside the {image.width} x {image.height} pixels of {name}",
                        ",".join(f"{number:g}" for number in box), "Mend the box.")
    return image.crop((x1, y1, x2, y2))
