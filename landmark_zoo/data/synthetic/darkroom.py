"""Takes photographs and writes them as JPEG files."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from landmark_zoo.data.synthetic.photograph import Photograph, photograph
from landmark_zoo.data.synthetic.shot import Shot
from landmark_zoo.data.synthetic.site import draw_site

_ORIENTATION, _EXIF, _ORIGINAL = 0x0112, 0x8769, 0x9003
_STORED = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
           5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
           8: Image.Transpose.ROTATE_270}
_HOURS = {"day": (9, 17), "dusk": (18, 21), "night": (21, 24)}


class Truth(NamedTuple):
    """What is known of a written picture.

    Attributes:
        path: The file, relative to the collection.
        box: x1, y1, x2, y2 of the landmark, pixels; None where it does not show.
        visible: Share of the landmark that shows, 0..1.
        grade: "easy", "hard" or "junk": how well the landmark can be recognised.
    """

    path: str
    box: tuple[float, float, float, float] | None
    visible: float
    grade: str


def take(folder: str, seed: int, long_side: int, plan: str | None, shots: Sequence[Shot]) -> list[Truth]:
    """Draws one site, takes all its photographs and writes them.

    Args:
        folder: The collection; folders inside it are made.
        seed: Of the collection.
        long_side: Greater side of the pictures, pixels.
        plan: Kind of the building, see `draw_site`.
        shots: What to take; all of one site.

    Returns:
        What they show, in the same order.
    """
    site = draw_site(seed, shots[0].site, long_side, plan)
    truths = []
    for shot in shots:
        taken = photograph(site, shot.view, shot.kind)
        write_picture(Path(folder) / shot.path, taken, shot)
        truths.append(Truth(shot.path, taken.box, taken.visible, grade(taken)))
    return truths


def write_picture(path: Path, taken: Photograph, shot: Shot) -> None:
    """Writes a photograph as a JPEG file, its pixels turned as its EXIF orientation says."""
    picture = Image.fromarray(taken.image).convert("L" if shot.gray else "RGB")
    if shot.orientation != 1:
        picture = picture.transpose(_STORED[shot.orientation])
    exif = Image.Exif()
    if shot.orientation != 1 or shot.view % 2:
        exif[_ORIENTATION] = shot.orientation
    if shot.dated:
        exif.get_ifd(_EXIF)[_ORIGINAL] = _date(shot, taken.moment)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=shot.quality, exif=exif)


def grade(taken: Photograph) -> str:
    """Returns "easy", "hard" or "junk", after the revisited benchmarks (Radenovic et al., CVPR 2018, section 3.1)."""
    if taken.box is None:
        return "junk"
    x1, y1, x2, y2 = taken.box
    share = (x2 - x1) * (y2 - y1) / (taken.image.shape[0] * taken.image.shape[1])
    if taken.visible < 0.15 or share < 0.02:
        return "junk"
    well = taken.visible >= 0.6 and share >= 0.1 and abs(taken.turn) < 0.9 and taken.moment == "day"
    return "easy" if well else "hard"


def _date(shot: Shot, moment: str) -> str:
    digest = hashlib.sha256(f"{shot.site} {shot.view}".encode()).digest()
    rng = np.random.default_rng(list(digest[:8]))
    year, month, day = (int(rng.integers(*span)) for span in ((2004, 2024), (1, 13), (1, 29)))
    hour, minute, second = (int(rng.integers(*span)) for span in (_HOURS[moment], (0, 60), (0, 60)))
    return f"{year}:{month:02d}:{day:02d} {hour:02d}:{minute:02d}:{second:02d}"
