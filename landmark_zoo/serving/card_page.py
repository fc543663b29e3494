"""A model card as a page for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
        "Photographs with an EXIF orientation must be turned before.",
        "## Signatures", _table(["name", "inputs -> outputs"], card["signatures"].items()),
        "## What it is", _table(["", ""], _rows(info)),
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
