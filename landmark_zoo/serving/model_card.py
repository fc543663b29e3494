"""The model card: what somebody must know who is handed a SavedModel."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from landmark_zoo.core.files import atomic_write, write_json
from landmark_zoo.core.provenance import versions
from landmark_zoo.serving.card_notes import CardNotes
from landmark_zoo.serving.card_page import card_page
from landmark_zoo.serving.milliseconds_per_picture import milliseconds_per_picture
from landmark_zoo.serving.signatures import Signatures

CARD_FILE, PAGE_FILE = "card.json", "README.md"


def model_card(module: Signatures, info: Mapping[str, Any], version: str, megabytes: float,
               notes: CardNotes) -> dict[str, Any]:
    """Returns the card; work and speed are those of one picture with sides 4 : 3.

    Args:
        module: The signatures that were saved.
        info: Name of the model, and what else its `info` was given.
        version: Of the model.
        megabytes: Size on disk.
        notes: What the model does not know.
    """
    embedder = module.embedder
    height, width = round(embedder.side * 3 / 4), embedder.side
    milliseconds = milliseconds_per_picture(module.images, height, width)
    return {
        "name": info["name"], "version": version,
        "signatures": {name: signature_line(function) for name, function in module.functions().items()},
        "info": {**embedder.facts, **info},
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
