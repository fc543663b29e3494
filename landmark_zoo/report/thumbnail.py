"""Small pictures inside a page."""

import base64
import io
from collections.abc import Callable
from html import escape
from pathlib import Path

from absl import logging
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.photograph import BadPhotograph, read_photograph

QUALITIES = (80, 65, 50, 35)


class Thumbnails:
    """Turns image ids into `<img>` elements that carry the picture; what is not found becomes a gray field with the id.

    Args:
        find: Image id to path; a `UserError` where there is none.
        side: Longest side of a thumbnail, pixels.
        max_bytes: Of one thumbnail.

    Attributes:
        missing: Ids without a readable picture.
    """

    def __init__(self, find: Callable[[str], str | Path], side: int = 224, max_bytes: int = 13_000):
        self._find, self._side, self._max_bytes = find, side, max_bytes
        self._encoded: dict[str, str | None] = {}
        self.missing: set[str] = set()

    def html(self, image_id: str, alt: str) -> str:
        """Returns an `<img>`, or a field that says that the picture is missing."""
        if image_id not in self._encoded:
            self._encoded[image_id] = self._read(image_id)
        source = self._encoded[image_id]
        if source is None:
            return (f'<span class="missing" role="img" aria-label="{escape(alt)}, picture missing">'
                    f"{escape(image_id)}</span>")
        return f'<img src="{source}" alt="{escape(alt)}" title="{escape(alt)}">'

    def _read(self, image_id: str) -> str | None:
        try:
            encoded = read_photograph(self._find(image_id), max_side=max(self._side, 64)).encoded
        except (UserError, BadPhotograph) as error:
            logging.warning("No picture of %s: %s", image_id, error)
            self.missing.add(image_id)
            return None
        return jpeg_source(Image.open(io.BytesIO(encoded)), self._side, self._max_bytes)


def jpeg_source(image: Image.Image, side: int, max_bytes: int) -> str:
    """Returns `image` as a `data:` address of a JPEG.

    Args:
        image: RGB.
        side: Longest side, pixels; a smaller picture is not enlarged.
        max_bytes: Of the JPEG; quality, then size, are lowered until it fits.
    """
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    for quality in QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= max_bytes or (quality == QUALITIES[-1] and side <= 32):
            return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    return jpeg_source(image, side // 2, max_bytes)
