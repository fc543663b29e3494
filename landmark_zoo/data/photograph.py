"""A picture file as every later stage wants it: an upright RGB JPEG of bounded size."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MIN_SIDE = 32
MAX_PIXELS = Image.MAX_IMAGE_PIXELS
QUALITY = 95

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


class BadPhotograph(Exception):  # noqa: N818
    """A file that holds no usable picture.

    Args:
        reason: What is wrong with it, for the list of skipped pictures.
    """

    def __init__(self, reason: str):
        self.reason = " ".join(reason.split())
        super().__init__(self.reason)


@dataclass(frozen=True)
class Photograph:
    """An RGB JPEG and its sizes in pixels.

    Attributes:
        encoded: The JPEG's bytes.
        height: Of the JPEG.
        width: Of the JPEG.
        original_height: Of the source, turned like the JPEG but not shrunk: what boxes are measured in.
        original_width: Likewise.
    """

    encoded: bytes
    height: int
    width: int
    original_height: int
    original_width: int


def read_photograph(source: str | Path | bytes, *, max_side: int | None = None, apply_exif: bool = True) -> Photograph:
    """Reads one picture and makes an upright RGB JPEG of it.

    A JPEG that is upright, RGB and small enough already keeps its bytes. Everything else is decoded and encoded anew
    with quality 95: gray and CMYK become RGB, 16 bits become the upper 8, transparent pixels are laid on white, of an
    animation the first frame counts.

    Args:
        source: A path, or the file's bytes.
        max_side: The longest side allowed, in pixels; a larger picture is shrunk (Lanczos) to exactly this, a smaller
            one is never enlarged. The short side is rounded half up and stays at least 32 px.
        apply_exif: Turn the picture as its EXIF orientation says. False for benchmarks whose boxes are measured in the
            pixels as stored (Oxford, Paris).

    Raises:
        BadPhotograph: The file is missing, empty, truncated or not a picture; a side is under 32 px; or it holds more
            pixels than `MAX_PIXELS`.
    """
    if max_side is not None and max_side < MIN_SIDE:
        raise ValueError(f"Expected max_side of at least {MIN_SIDE}; received {max_side}.")
    data = source if isinstance(source, bytes) else _read(source)
    if not data:
        raise BadPhotograph("empty file")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_size(image)
        image.load()
        turn = _TURN.get(image.getexif().get(_ORIENTATION)) if apply_exif else None
        pixels = image if turn is None else image.transpose(turn)
        shrunk = max_side is not None and max(pixels.size) > max_side
        if image.format == "JPEG" and image.mode == "RGB" and turn is None and not shrunk:
            return Photograph(data, image.height, image.width, image.height, image.width)
        rgb = _rgb(pixels)
        if shrunk:
            rgb = rgb.resize(_fitted(rgb.size, max_side), Image.Resampling.LANCZOS)
        return Photograph(_jpeg(rgb), rgb.height, rgb.width, pixels.height, pixels.width)
    except (BadPhotograph, MemoryError):
        raise
    except Image.UnidentifiedImageError as error:
        raise BadPhotograph(f"not a picture ({', '.join(FORMATS)})") from error
    except Exception as error:  # Pillow's parsers raise whatever a broken file makes them trip over
        raise BadPhotograph(f"{type(error).__name__}: {error}") from error


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise BadPhotograph(error.strerror.lower()) from error


def _check_size(image: Image.Image) -> None:
    if min(image.size) < MIN_SIDE:
        raise BadPhotograph(f"{image.height} x {image.width} px, smaller than {MIN_SIDE}")
    if image.height * image.width > MAX_PIXELS:
        raise BadPhotograph(f"{image.height} x {image.width} px, more than {MAX_PIXELS:,} in all")


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise BadPhotograph("32-bit pixels, whose white is not known")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Returns `size` scaled so that its longer part is `side`; the rule of `resize.resize_long_side`."""
    long = max(size)
    return tuple(max(MIN_SIDE, (2 * part * side + long) // (2 * long)) for part in size)


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
