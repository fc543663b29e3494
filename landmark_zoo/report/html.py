"""Building blocks of a page: its frame with the style sheet `style.css`, tables, thumbnails, words for numbers."""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from absl import logging
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.data.datasets.images import InvalidImageError, read_image
from landmark_zoo.evaluation.results import Measure

STYLE = (files("landmark_zoo.report") / "style.css").read_text(encoding="utf-8")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
Section = tuple[str, str, str]


def document(title: str, header: str, sections: Sequence[Section]) -> str:
    """Puts sections under a header and a list of contents.

    Args:
        title: Title of the window, plain text.
        header: HTML above the contents.
        sections: Anchor, heading and HTML of each.
    """
    links = "".join(f'<li><a href="#{anchor}">{heading}</a></li>' for anchor, heading, _ in sections)
    bodies = "\n".join(f'<section id="{anchor}"><h2>{heading}</h2>{body}</section>'
                       for anchor, heading, body in sections)
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
            f"<style>\n{STYLE}</style></head>\n<body>\n{header}\n"
            f'<nav aria-label="Contents"><ol>{links}</ol></nav>\n<main>{bodies}</main>\n'
            f"<footer>Made by landmark_zoo at commit {escape(git_commit())}.</footer>\n</body></html>\n")


class Html(str):
    """Text that is HTML already; all other text is escaped."""

    __slots__ = ()


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], marked: Sequence[bool] = ()) -> Html:
    """Returns an HTML table whose first column names the rows.

    Args:
        header: Column titles.
        rows: Cells as text, numbers or `Html`.
        marked: Whether each row is highlighted; none where empty.
    """
    head = "".join(f'<th scope="col">{_text(title)}</th>' for title in header)
    body = []
    for number, (first, *cells) in enumerate(rows):
        mark = ' class="marked"' if marked and marked[number] else ""
        rest = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
        body.append(f'<tr{mark}><th scope="row">{_text(first)}</th>{rest}</tr>')
    return Html(f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
                f'<tbody>{"".join(body)}</tbody></table></div>')


def _text(value: Any) -> str:
    return value if isinstance(value, Html) else escape(value if isinstance(value, str) else str(value))


QUALITIES = (80, 65, 50, 35)


class Thumbnails:
    """Turns image ids into `<img>` elements that carry the image; what is not found becomes a gray field with the id.

    Args:
        find: Image id to path; a `UserError` where there is none.
        side: Longest side of a thumbnail, pixels.
        max_bytes: Size of one thumbnail at most.

    Attributes:
        missing: Ids without a readable image.
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
            encoded = read_image(self._find(image_id), max_side=max(self._side, 64)).encoded
        except (UserError, InvalidImageError) as error:
            logging.warning("No picture of %s: %s", image_id, error)
            self.missing.add(image_id)
            return None
        return jpeg_source(Image.open(io.BytesIO(encoded)), self._side, self._max_bytes)


def jpeg_source(image: Image.Image, side: int, max_bytes: int) -> str:
    """Returns `image` as a `data:` address of a JPEG.

    Args:
        image: RGB.
        side: Longest side, pixels; a smaller image is not enlarged.
        max_bytes: Size of the JPEG at most; quality, then size, are lowered until it fits.
    """
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    for quality in QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= max_bytes or (quality == QUALITIES[-1] and side <= 32):
            return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    return jpeg_source(image, side // 2, max_bytes)


def facts_table(title: str, facts: dict[str, Any]) -> Html:
    """Returns a table of two columns.

    Args:
        title: Above the names.
        facts: Nested tables unfolded (`training_run.unfolded`).
    """
    return table([title, ""], [[name, _value(value)] for name, value in facts.items()])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return "–" if value in (None, "", {}) else str(value)


def percent(value: float | None) -> str:
    """Returns a fraction in percent with one decimal: 0.7125 is "71.2"; None is a dash."""
    return "–" if value is None else f"{100 * value:.1f}"


def interval(measure: Measure) -> str:
    """Returns a 95 % interval in percent, "68.0–74.1", or nothing where there is none."""
    return "" if measure.low is None or measure.high is None else f"{percent(measure.low)}–{percent(measure.high)}"


def counted(number: int, thing: str, things: str | None = None) -> str:
    """Returns "no photographs", "1 photograph" or "2,345 photographs".

    Args:
        number: Number of things.
        thing: The word for one.
        things: The word for several; `thing` with an s by default.
    """
    if number == 1:
        return f"1 {thing}"
    return f"{number:,} {things or f'{thing}s'}" if number else f"no {things or f'{thing}s'}"


def share(part: int, whole: int) -> str:
    """Returns a part in percent, never rounded to none or all: "7.2 %", "under 0.1 %", "over 99.9 %"."""
    if not part or part == whole or not whole:
        return "100 %" if part and part == whole else "0 %"
    value = 100 * part / whole
    if value < 0.1:
        return "under 0.1 %"
    return "over 99.9 %" if value > 99.9 else f"{value:.1f} %"


def readable_name(landmark: str) -> str:
    """Returns the last part of a folder's name with spaces: "wonders/taj_mahal" is "taj mahal"."""
    return landmark.rstrip("/").rsplit("/", 1)[-1].replace("_", " ") or landmark


def shortened(name: str, letters: int) -> str:
    """Returns a name of at most `letters` letters, the last of them "…" where it was longer."""
    return name if len(name) <= letters else f"{name[:letters - 1]}…"
