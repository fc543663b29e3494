"""Formats of image files: suffixes, names with and without them, and first bytes.

HEIC is read where pillow-heif is installed, AVIF where Pillow has its decoder.
"""

import os
import stat
from pathlib import Path

from PIL import features

from landmark_zoo.core.errors import UserError

try:
    import pillow_heif
except ImportError:
    pillow_heif = None
else:
    pillow_heif.register_heif_opener()

_OPTIONAL = (  # format, suffixes, whether it is read here, what would read it
    ("HEIF", (".heic", ".heif", ".hif"), pillow_heif is not None, "pip install pillow-heif reads them"),
    ("AVIF", (".avif",), features.check("avif"), "Pillow from 11.3 on reads them"),
)
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", *(name for name, _, read, _ in _OPTIONAL if read))
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff",
            *(suffix for _, suffixes, read, _ in _OPTIONAL if read for suffix in suffixes))
OTHER_SUFFIXES = {
    **{suffix: remedy for _, suffixes, read, remedy in _OPTIONAL if not read for suffix in suffixes},
    **dict.fromkeys((".arw", ".cr2", ".cr3", ".dng", ".jp2", ".jxl", ".nef", ".orf", ".psd", ".raf", ".rw2", ".svg", ".tga"),
                    "not read; convert them to JPEG")}
"""Suffixes of images that are not read here, and what to do about it."""

_HEAD_BYTES, _HEIF_BRANDS = 12, (b"heic", b"heix", b"mif1", b"msf1", b"hevc")
_PNG = b"\x89PNG\r\n\x1a\n"


def file_name(image_id: str) -> str:
    """Returns the name of an image's file, `<id>.jpg`, or the id itself where that ends in an image suffix already."""
    return image_id if image_id.lower().endswith(SUFFIXES) else f"{image_id}.jpg"


def without_suffix(image_id: str) -> str:
    """Returns an id without the image suffix that it may end in."""
    return os.path.splitext(image_id)[0] if image_id.lower().endswith(SUFFIXES) else image_id


def is_utf8(name: str) -> bool:
    """Returns whether the name of a file or folder can be written as UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_utf8(path: str | Path) -> None:
    """Raises a `UserError` where a path cannot be written into a list in UTF-8."""
    if not is_utf8(str(path)):
        raise UserError("a path whose names are UTF-8", str(path), "Rename the file or folder.")


def is_image_head(head: bytes, size: int) -> bool:
    """Returns whether a file begins as an image does, whatever its name is.

    Args:
        head: First 12 bytes of the file.
        size: Number of bytes of the file.
    """
    return (head.startswith((b"\xff\xd8\xff", _PNG, b"GIF8", b"II*\0", b"MM\0*"))
            or (head[:4], head[8:]) == (b"RIFF", b"WEBP")
            or (head[:2] == b"BM" and int.from_bytes(head[2:6], "little") == size)
            or (head[4:8] == b"ftyp" and head[8:] in (b"avif", *_HEIF_BRANDS)))


def looks_like_image(path: str | Path) -> bool:
    """Returns whether a regular file begins as an image does; False where it cannot be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            return is_image_head(file.read(_HEAD_BYTES), os.fstat(file.fileno()).st_size)
    except OSError:
        return False


def undecodable(data: bytes) -> str | None:
    """Returns what would read the bytes of an image whose decoder is not there; None for any other bytes."""
    kinds = {b"ftypavif": "AVIF", **dict.fromkeys((b"ftyp" + brand for brand in _HEIF_BRANDS), "HEIF")}
    kind = kinds.get(data[4:_HEAD_BYTES])
    return next((f"{name}: {remedy}" for name, _, read, remedy in _OPTIONAL if name == kind and not read), None)
