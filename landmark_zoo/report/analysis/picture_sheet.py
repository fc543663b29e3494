"""Small pictures of a collection, in rows, each with a word below it."""

from collections.abc import Iterable, Sequence
from html import escape

from absl import logging
from PIL import Image

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.small_picture import read_small
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.report.table import Html
from landmark_zoo.report.thumbnail import jpeg_source

SIDE = 128
MAX_BYTES = 5_500


def picture_sheet(collection: Collection, captioned: Iterable[tuple[int, str]]) -> Html:
    """Returns a grid of pictures.

    Args:
        collection: Where they are.
        captioned: Number of a photograph and what stands below it.
    """
    cells = "".join(f"<figure>{picture(collection, number)}<figcaption>{escape(caption)}</figcaption></figure>"
                    for number, caption in captioned)
    return Html(f'<div class="sheet">{cells}</div>' if cells else "")


def picture_groups(collection: Collection, groups: Iterable[tuple[Sequence[int], str]]) -> Html:
    """Returns a grid of pictures that belong together, side by side.

    Args:
        collection: Where they are.
        groups: Numbers of photographs and what stands below them.
    """
    blocks = "".join(f'<figure><div class="row">{"".join(picture(collection, number) for number in numbers)}</div>'
                     f"<figcaption>{escape(caption)}</figcaption></figure>" for numbers, caption in groups)
    return Html(f'<div class="groups">{blocks}</div>' if blocks else "")


def picture(collection: Collection, number: int) -> str:
    """Returns an `<img>` of a photograph, upright, whose title is its id; where it cannot be read, a field with the id."""
    name = escape(collection.id(number))
    try:
        small = Image.fromarray(read_small(collection.read(number)).pixels)
    except BadPhotograph as error:
        logging.warning("No picture of %s: %s", collection.id(number), error)
        return f'<span class="missing" role="img" aria-label="{name}, picture missing">{name}</span>'
    return f'<img src="{jpeg_source(small, SIDE, MAX_BYTES)}" alt="{name}" title="{name}" loading="lazy">'
