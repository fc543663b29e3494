"""Attention maps laid over the pictures they belong to."""

import io
from html import escape
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.data.photograph import BadPhotograph, read_photograph
from landmark_zoo.report.table import Html
from landmark_zoo.report.thumbnail import jpeg_source

SIDE = 320
MAX_BYTES = 28_000
MOST_PICTURES = 12
MOST_MAPS = 4


def attention_overlays(folder: str | Path) -> Html:
    """Draws the pictures listed in `overlays.json`, each beside copies with its attention maps laid over.

    Args:
        folder: With `overlays.json` ([{"image": path, "title": text, "maps": [{"name": text, "file": "0.npy"}]}]) and
            the maps, float [h, w]. Paths are relative to the folder. `MOST_PICTURES` pictures with `MOST_MAPS` maps are
            shown.

    Raises:
        UserError: The list, a picture or a map is missing or broken.
    """
    folder = Path(folder)
    path = folder / "overlays.json"
    try:
        entries = [(str(entry["title"]), folder / entry["image"], [(str(each["name"]), folder / each["file"])
                    for each in entry["maps"]]) for entry in read_json(path)]
    except (KeyError, TypeError) as error:
        raise UserError(f"a list of pictures and maps in {path}", f"{type(error).__name__}: {error}",
                        "Make the file again.") from error
    blocks = "".join(_block(title, image, maps[:MOST_MAPS]) for title, image, maps in entries[:MOST_PICTURES])
    more = len(entries) - MOST_PICTURES
    return Html(blocks + (f"<p>{more} more pictures are in the folder.</p>" if more > 0 else ""))


def overlay(image: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """Lays an attention map over a picture: its largest value yellow and opaque, its smallest dark.

    Args:
        image: uint8 [H, W, 3].
        attention: float [h, w], finite, any range; a constant map counts as 0.5 everywhere.

    Returns:
        uint8 [H, W, 3].
    """
    height, width = image.shape[:2]
    low, high = float(attention.min()), float(attention.max())
    scaled = np.full(attention.shape, 0.5) if low == high else (attention.astype(float) - low) / (high - low)
    large = np.asarray(Image.fromarray(scaled.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC))
    strength = np.clip(large, 0, 1)
    colour = matplotlib.colormaps["inferno"](strength)[..., :3] * 255
    return np.round(0.4 * image + 0.6 * colour).astype(np.uint8)


def _block(title: str, image_path: Path, maps: list[tuple[str, Path]]) -> str:
    try:
        picture = Image.open(io.BytesIO(read_photograph(image_path, max_side=SIDE).encoded))
    except BadPhotograph as error:
        raise UserError(f"a picture at {image_path}", error.reason, "Mend overlays.json.") from error
    panels = [_panel(picture, title, "photograph")]
    for name, path in maps:
        attention = _read_map(path)
        drawn = Image.fromarray(overlay(np.asarray(picture), attention))
        panels.append(_panel(drawn, f"{name} over {title}", f"{name} ({attention.min():.3g} to {attention.max():.3g})"))
    return f'<div class="overlays"><h3>{escape(title)}</h3><div class="panels">{"".join(panels)}</div></div>'


def _panel(picture: Image.Image, alt: str, caption: str) -> str:
    return (f'<figure><img src="{jpeg_source(picture, SIDE, MAX_BYTES)}" alt="{escape(alt)}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>")


def _read_map(path: Path) -> np.ndarray:
    try:
        attention = np.load(path, allow_pickle=False)
        if attention.ndim != 2 or not attention.size or not np.isfinite(attention).all():
            raise ValueError(f"{attention.dtype} {list(attention.shape)}, or values that are not finite")
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"a finite attention map [h, w] in {path}", str(error), "Make the maps again.") from error
    return attention
