"""Overlays of attention maps on images, on one fixed scale for each kind of map, and charts of channel attention."""

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative, read_json, read_npy
from landmark_zoo.data.datasets.images import InvalidImageError, read_image
from landmark_zoo.report.html import Html, jpeg_source

SIDE, CHANNEL_SIDE = 320, 640
MAX_BYTES, MAX_CHANNEL_BYTES = 28_000, 60_000
MOST_IMAGES = 12
MOST_MAPS = 4
FLAT = 0.02  # part of the scale; colors nearer to each other than this cannot be told apart
BARS, SHOWN_CHANNELS = 8, 2  # channels at each end, in the chart and as feature maps
GATE, SHARE, SCORE, SIGNED, NORM = "gate", "share", "score", "signed", "norm"  # as `base.MAP_KINDS`, without TensorFlow
WORDS = {GATE: "0 to 1", SHARE: "1/4 to 4, 1 where all receive the same", SCORE: "1/4 to 4 times its mean",
         SIGNED: "x / (1 + |x|), 0 in the middle", NORM: "0 to the largest"}
_TICKS = {GATE: ([0, 0.5, 1], ["0", ".5", "1"]), NORM: ([0, 1], ["0", "largest"]),
          SIGNED: ([0, 0.25, 0.5, 0.75, 1], ["-∞", "-1", "0", "1", "∞"]),
          SHARE: ([0, 0.25, 0.5, 0.75, 1], ["1/4", "1/2", "1", "2", "4"]),
          SCORE: ([0, 0.25, 0.5, 0.75, 1], ["1/4", "1/2", "mean", "2", "4"])}


def on_scale(values: np.ndarray, kind: str, largest: float | None = None) -> np.ndarray:
    """Returns the places of values on the fixed scale of their kind, from 0 to 1; what lies beyond it is cut.

    Args:
        values: float, finite, any shape.
        kind: A key of `WORDS`: a kind of `layers.attention.base.MAP_KINDS`, or `NORM`.
        largest: Upper end of the scale of `NORM`; the largest of the values by default.
    """
    values = np.asarray(values, np.float64)
    if kind == SIGNED:
        return 0.5 + 0.5 * values / (1 + np.abs(values))
    if kind == NORM:
        return np.clip(values / max(float(values.max()) if largest is None else largest, 1e-30), 0, 1)
    if kind in (SHARE, SCORE):
        even = max(float(values.mean()), 0) if kind == SCORE else 1.0
        if not even:
            return np.full(values.shape, 0.5)
        return np.clip(0.5 + np.log2(np.maximum(values / even, 1e-30)) / 4, 0, 1)
    return np.clip(values, 0, 1)


def is_flat(values: np.ndarray, kind: str) -> bool:
    """Returns whether the values span less than `FLAT` of their scale: such a map tells no place from another."""
    return float(np.ptp(on_scale(values, kind))) < FLAT


def caption(name: str, values: np.ndarray, kind: str) -> str:
    """Returns the words below a map: its name, the range of its values, its scale, and "flat" where it is."""
    flat = ", flat" if is_flat(values, kind) else ""
    count = f"{values.size} channels, " if values.ndim == 1 else ""
    return f"{name}: {count}{values.min():.4g} to {values.max():.4g}{flat} (scale: {WORDS[kind]})"


def guessed_kind(values: np.ndarray) -> str:
    """Returns the kind of a map that nobody named: `GATE` where its values lie between 0 and 1, else `SIGNED`."""
    return GATE if values.min() >= 0 and values.max() <= 1 else SIGNED


def overlay(image: np.ndarray, attention: np.ndarray, kind: str | None = None, largest: float | None = None) -> np.ndarray:
    """Lays a map over an image: the upper end of the scale is yellow, the lower black, whatever the map's own range.

    Args:
        image: uint8 [H, W, 3].
        attention: float [h, w], finite.
        kind: See `on_scale`; `guessed_kind` by default.
        largest: See `on_scale`.

    Returns:
        uint8 [H, W, 3].
    """
    height, width = image.shape[:2]
    scaled = on_scale(attention, kind or guessed_kind(attention), largest)
    large = np.asarray(Image.fromarray(scaled.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC))
    color = matplotlib.colormaps["inferno"](np.clip(large, 0, 1))[..., :3] * 255
    return np.round(0.4 * image + 0.6 * color).astype(np.uint8)


def map_picture(image: np.ndarray, attention: np.ndarray, kind: str) -> Image.Image:
    """Draws an `overlay`, with the word "flat" on it where the map is."""
    drawn = Image.fromarray(overlay(image, attention, kind))
    if is_flat(attention, kind):
        font = _font(max(12, min(drawn.size) // 6))
        ImageDraw.Draw(drawn).text((drawn.width / 2, drawn.height / 2), "flat", "white", font, "mm", stroke_width=2,
                                   stroke_fill="black")
    return drawn


def end_channels(values: np.ndarray, count: int) -> tuple[list[int], list[int]]:
    """Returns the `count` channels of largest value, largest first, and those of least, least last; none twice."""
    order = [int(channel) for channel in np.argsort(-values, kind="stable")]
    count = min(count, len(order) // 2)
    return order[:count], order[len(order) - count:]


def channel_picture(image: np.ndarray, values: np.ndarray, kind: str, features: np.ndarray | None = None,
                    channels: Sequence[int] = (), largest: float = 0.0) -> Image.Image:
    """Draws which channels an attention lets through: bars of those of most and least, and below them feature maps.

    Args:
        image: uint8 [H, W, 3].
        values: float [C], one for each channel.
        kind: See `on_scale`.
        features: float [h, w, K], the feature maps of `channels` before the attention; None for bars alone.
        channels: Numbers of the K channels, from the largest value to the least.
        largest: Largest value of the whole feature map, the upper end of their scale.
    """
    parts = [_channel_chart(values, kind)]
    if features is not None and not is_flat(values, kind):
        side = CHANNEL_SIDE // max(len(channels), 1)
        small = Image.fromarray(image)
        small.thumbnail((side - 4, side))
        maps = [with_caption(Image.fromarray(overlay(np.asarray(small), features[..., place], NORM, largest)),
                             f"channel {channel}, {values[channel]:.3g}: up to {features[..., place].max():.3g}")
                for place, channel in enumerate(channels)]
        row = Image.new("RGB", (CHANNEL_SIDE, max(each.height for each in maps)), "white")
        for place, each in enumerate(maps):
            row.paste(each, (place * side, 0))
        parts.append(with_caption(row, f"Feature maps of these channels before the attention, on 0 to {largest:.3g}, the "
                                       f"largest of all {values.size}; yellow is much."))
    picture = Image.new("RGB", (CHANNEL_SIDE, sum(part.height for part in parts)), "white")
    for number, part in enumerate(parts):
        picture.paste(part, (0, sum(each.height for each in parts[:number])))
    return picture


def with_caption(picture: Image.Image, text: str) -> Image.Image:
    """Returns a picture with words below it, in lines that fit its width."""
    font, lines = _font(12), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > picture.width - 4:
            lines.append(word)
        else:
            lines[-1] = longer
    taller = Image.new("RGB", (picture.width, picture.height + 16 * len(lines) + 4), "white")
    taller.paste(picture)
    for number, line in enumerate(lines):
        ImageDraw.Draw(taller).text((2, picture.height + 2 + 16 * number), line, "black", font)
    return taller


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(findfont("DejaVu Sans"), size)


def _channel_chart(values: np.ndarray, kind: str) -> Image.Image:
    most, least = end_channels(values, BARS)
    places, names = on_scale(values, kind), [*most, *least]
    figure = Figure(figsize=(CHANNEL_SIDE / 100, 2.4), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    colors = ["#c2570c"] * len(most) + ["#2f5fd0"] * len(least)
    axes.bar(range(len(names)), places[names], color=colors)
    axes.set_xticks(range(len(names)), map(str, names), fontsize=7, rotation=45)
    axes.set_yticks(*_TICKS[kind], fontsize=8)
    axes.axhline(places.mean(), color="#6a6b6c", linewidth=1, linestyle="--")
    flat = " (flat)" if is_flat(values, kind) else ""
    axes.set(ylim=(0, 1), xlabel="channel; dashed: mean of all")
    axes.set_title(f"Channels of most and least attention{flat}", fontsize=9, loc="left")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return Image.open(drawn).convert("RGB")


def attention_overlays(folder: str | Path) -> Html:
    """Draws the images listed in `overlays.json`, each beside copies with its attention maps laid over.

    Args:
        folder: With `overlays.json` and the maps that `experiments.attention` writes: [{"image": path, "title": text,
            "maps": [{"name": text, "file": "0.npy", "kind": see `on_scale`}]}]. A map is float [h, w], or [C] of channels
            alone and then may have "features" (file of float [h, w, K]), "channels" and "largest", see `channel_picture`.
            Paths are relative to the folder. Without "kind", as older files are, it is guessed, and "feature_map" is the
            norm. `MOST_IMAGES` images with `MOST_MAPS` maps are shown.

    Raises:
        UserError: The list, an image or a map is missing or broken.
    """
    folder = Path(folder)
    path = folder / "overlays.json"
    try:
        entries = [(str(entry["title"]), folder / entry["image"], [_entry(folder, each, path) for each in entry["maps"]])
                    for entry in read_json(path, [dict])]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"a list of pictures and maps in {path}", f"{type(error).__name__}: {error}",
                        "Make the file again.") from error
    blocks = "".join(_block(title, image, maps[:MOST_MAPS]) for title, image, maps in entries[:MOST_IMAGES])
    more = len(entries) - MOST_IMAGES
    return Html(blocks + (f"<p>{more} more pictures are in the folder.</p>" if more > 0 else ""))


def _entry(folder: Path, entry: dict, listing: Path) -> dict:
    former = entry["name"] == "feature_map"
    found = {"name": "feature norm" if former else str(entry["name"]),
             "file": folder / check_relative(entry["file"], listing),
             "kind": entry.get("kind", NORM if former else None)}
    if found["kind"] not in (None, *WORDS):
        raise ValueError(f"kind {found['kind']!r}")
    if "features" in entry:
        features, channels = check_relative(entry["features"], listing), [int(channel) for channel in entry["channels"]]
        found["drawn"] = folder / features, channels, float(entry["largest"])
    return found


def _block(title: str, image_path: Path, maps: list[dict]) -> str:
    try:
        image = Image.open(io.BytesIO(read_image(image_path, max_side=SIDE).encoded)).convert("RGB")
    except InvalidImageError as error:
        raise UserError(f"a picture at {image_path}", error.reason, "Mend overlays.json.") from error
    panels = [_panel(image, title, "photograph")]
    panels += [_map_panel(np.asarray(image), title, each) for each in maps]
    return f'<div class="overlays"><h3>{escape(title)}</h3><div class="panels">{"".join(panels)}</div></div>'


def _map_panel(image: np.ndarray, title: str, entry: dict) -> str:
    values = _read_map(entry["file"], (1, 2))
    kind = entry["kind"] or guessed_kind(values)
    words = caption(entry["name"], values, kind)
    if values.ndim == 2:
        return _panel(map_picture(image, values, kind), f"{entry['name']} over {title}", words)
    drawn = ()
    if "drawn" in entry:
        file, channels, largest = entry["drawn"]
        features = _read_map(file, (3,))
        if features.shape[2] != len(channels) or not all(0 <= channel < values.size for channel in channels):
            raise UserError(f"feature maps of the {len(channels)} channels that overlays.json names in {file}",
                            f"shape {list(features.shape)} for {values.size} channels", "Make the maps again.")
        drawn = (features, channels, largest)
    return _panel(channel_picture(image, values, kind, *drawn), f"channels of {entry['name']} on {title}", words,
                  CHANNEL_SIDE, MAX_CHANNEL_BYTES, ' class="wide"')


def _panel(image: Image.Image, alt: str, words: str, side: int = SIDE, max_bytes: int = MAX_BYTES, mark: str = "") -> str:
    return (f'<figure{mark}><img src="{jpeg_source(image, side, max_bytes)}" alt="{escape(alt)}">'
            f"<figcaption>{escape(words)}</figcaption></figure>")


def _read_map(path: Path, axes: tuple[int, ...]) -> np.ndarray:
    try:
        attention = read_npy(path)
        if attention.ndim not in axes or not attention.size or not np.isfinite(attention).all():
            raise ValueError(f"{attention.dtype} {list(attention.shape)}, or values that are not finite")
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"a finite attention map [{'h, w' if 2 in axes else 'h, w, K'}] in {path}", str(error),
                        "Make the maps again.") from error
    return attention
