"""Model card of an export: `card.json` for programs, `README.md` for people."""

import dataclasses
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from landmark_zoo.core.files import atomic_write, write_json
from landmark_zoo.core.parallel import median_seconds
from landmark_zoo.core.provenance import versions
from landmark_zoo.models.inspection import MAP_MEANINGS
from landmark_zoo.serving.signatures import FACTS, Signatures

_USE = '''```python
import tensorflow as tf

model = tf.saved_model.load("{version}")  # keep it: a signature alone does not hold the weights
pictures = tf.constant([open(file, "rb").read() for file in ["a.jpg", "b.jpg"]])
embedding = model.signatures["serving_default"](image_bytes=pictures)["embedding"]  # [2, {dimension}], each of length 1
print(embedding @ tf.transpose(embedding))  # cosines
```'''


def card_page(card: Mapping[str, Any]) -> str:
    """Returns the card as Markdown.

    Args:
        card: See `model_card.model_card`.
    """
    info, speed = card["info"], card["speed"]
    where = f"{speed['cores']} cores ({speed['machine']}), {speed['gpus']} GPUs; measured {speed['measured']}"
    work = card["multiply_accumulates"]
    size = " x ".join(map(str, card["picture"]))
    parts = [
        f"# {card['name']}, version {card['version']}",
        "Photographs of landmarks to embeddings that are compared by dot product.",
        _USE.format(version=card["version"], dimension=info["dimension"]),
        _inputs(info),
        "## Signatures", _table(["name", "inputs -> outputs"], card["signatures"].items()),
        "## What it is", _table(["", ""], _rows({key: value for key, value in info.items() if key not in _MAPS})),
        *_maps(info),
        "## What it costs", _table(["", ""], [
            ("parameters", f"{card['parameters']:,}"), ("size on disk", f"{card['megabytes']:.1f} MB"),
            (f"multiply-accumulates at {size}", "not counted" if work is None else f"{work:,}"),
            (f"one picture of {size}", f"{speed['milliseconds_per_picture']:.1f} ms on {where}")]),
        "## What it was trained on", _table(["", ""], _rows(card["data"])) if card["data"] else "Not stated.",
        "## How it was trained", _table(["", ""], _rows(card["recipe"])) if card["recipe"] else "Not stated.",
        "## Scores", *(_scores(card["scores"]) or ["None were given."]),
        "## Licences", _table(["", ""], card["licence"].items()),
        "## Versions", _table(["", ""], card["versions"].items()),
    ]
    return "\n\n".join(parts) + "\n"


def _inputs(info: Mapping[str, Any]) -> str:
    """Returns what is taken and refused, in words; exports of earlier releases state less."""
    if "orientation" not in info:
        return "Photographs with an EXIF orientation must be turned before."
    return (
        f"Bytes are {info['formats']}; {info['min_side']} pixels or more each way, {info['max_pixels']:,} or fewer in all. "
        "WebP, TIFF and HEIC, which records and `experiments.embed` may read, are refused, as are GIFs with a transparent "
        "color or a first frame that does not fill the canvas: save them as PNG.\n\n"
        "`serving_default` turns JPEG and PNG as their EXIF orientation says, as records and `experiments.embed` do. `crop` "
        "does not: its boxes are in the pixels as stored. The protocols of Oxford and Paris keep all pixels as stored; "
        "`experiments.evaluate` does so, and whoever calls `serving_default` for them must take the EXIF out.\n\n"
        f"`images` resizes by itself ({info['resize']}), as do copies in ONNX and TFLite; "
        "these two do not refuse NaN. `local` keeps the size of its images.")


_MAPS = ("attention_maps", "attention_kinds")


def _maps(info: Mapping[str, Any]) -> list[str]:
    """Returns the section on the maps of `attention`; exports of earlier releases have none."""
    names, kinds = (info.get(key, ()) for key in _MAPS)
    rows = [(name, kind, MAP_MEANINGS[kind]) for name, kind in zip(names, kinds, strict=True)]
    return ["## What `attention` shows", "From [N, H, W, 3] as `images`, resized as by it; channels alone are [N, 1, 1, C].",
            _table(["map", "kind", "values"], rows)] if rows else []


def _scores(scores: Sequence[Mapping[str, Any]]) -> list[str]:
    parts = []
    for score in scores:
        figures = [(name, *(f"{100 * figure[key]:.1f}" for key in ("value", "low", "high")), figure["queries"])
                   for name, figure in score["metrics"].items()]
        parts += [f"### {score['benchmark']} ({score['protocol']})",
                  _table(["per cent", "value", "low", "high", "queries"], figures),
                  "Measured under:", _table(["", ""], _rows(score["card"]))]
    return parts


def _rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key.replace("_", " "), _text(value)) for key, value in facts.items()]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return "–" if value in (None, "") else str(value)


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '/').replace(chr(10), ' ') for cell in line)} |"
                     for line in lines)


@dataclasses.dataclass(frozen=True)
class CardNotes:
    """Facts for `model_card.model_card`.

    Attributes:
        data: Training data: source, images, landmarks, ...
        recipe: Training recipe: model configuration and flags of the run.
        scores: Results of `experiments.evaluate`, each with its protocol card.
        licence: Under which licence the model is handed on.
    """

    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    scores: Sequence[Mapping[str, Any]] = ()
    licence: str = "not stated"


CALLS, SECONDS = 7, 3.0


def milliseconds_per_image(embed: Callable[[tf.Tensor], object], height: int, width: int) -> float:
    """Returns the median time of some calls with one picture, after one that is not counted.

    Stops after 7 calls, or after the first that ends past 3 seconds.

    Args:
        embed: From float32 [1, H, W, 3].
        height: Height of the image, in pixels.
        width: Width of the image, in pixels.
    """
    image = tf.random.stateless_uniform([1, height, width, 3], [0, 0], maxval=255.0)
    return 1000 * median_seconds(lambda: embed(image), repeats=CALLS, limit=SECONDS)


CARD_FILE, PAGE_FILE = "card.json", "README.md"


def model_card(module: Signatures, info: Mapping[str, Any], version: str, megabytes: float,
               notes: CardNotes, images: Callable[[tf.Tensor], object] | None = None) -> dict[str, Any]:
    """Returns the card; work and speed are those of one picture with sides 4 : 3.

    Args:
        module: The signatures that were saved.
        info: Name of the model, and what else its `info` was given.
        version: Version of the model.
        megabytes: Size on disk.
        notes: Facts that the model does not know.
        images: The signature `images` to time, from float32 [1, H, W, 3]; None for that of `module`.
    """
    embedder = module.embedder
    height, width = round(embedder.side * 3 / 4), embedder.side
    milliseconds = milliseconds_per_image(images or module.images, height, width)
    return {
        "name": info["name"], "version": version,
        "signatures": {name: signature_line(function) for name, function in module.functions().items()},
        "info": {**embedder.facts, **FACTS, **info},
        "parameters": embedder.parameters, "megabytes": round(megabytes, 2),
        "picture": [height, width], "multiply_accumulates": embedder.multiply_accumulates(height, width),
        "speed": {"milliseconds_per_picture": round(milliseconds, 2), "batch": 1, "measured": "once, at export, by images()",
                  "machine": platform.machine(), "cores": len(os.sched_getaffinity(0)),
                  "gpus": len(tf.config.list_physical_devices("GPU"))},
        "data": dict(notes.data), "recipe": dict(notes.recipe), "scores": [dict(score) for score in notes.scores],
        "licence": {"model": notes.licence, "training photographs": "as their source states",
                    "pretrained weights": "as their source states"},
        "versions": versions(),
    }


def signature_line(function: tf.types.experimental.GenericFunction) -> str:
    """Returns inputs and outputs of a signature in one line: "image_bytes: string[N] -> embedding: float32[N, 512]"."""
    concrete = function.get_concrete_function()
    inputs = concrete.structured_input_signature[0]
    outputs = concrete.structured_outputs
    return " -> ".join([", ".join(f"{spec.name}: {_spec(spec)}" for spec in inputs) or "()",
                        ", ".join(f"{name}: {_spec(spec)}" for name, spec in outputs.items())
                        if inputs else "constants"])


def write_card(directory: Path, card: Mapping[str, Any]) -> None:
    """Writes `card.json` and, for people, `README.md` beside `saved_model.pb`."""
    write_json(directory / CARD_FILE, card)
    with atomic_write(directory / PAGE_FILE) as file:
        file.write(card_page(card))


def _spec(spec: tf.TensorSpec) -> str:
    sizes = ["N" if not axis and size is None else "?" if size is None else str(size)
             for axis, size in enumerate(spec.shape)]
    return f"{spec.dtype.name}[{', '.join(sizes)}]"
