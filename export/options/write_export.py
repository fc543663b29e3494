"""The common end of the scripts that export: whitening, card, folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from export.options.card import CardOptions
from export.options.whitening import WhiteningOptions
from landmark_zoo.serving.embedders.embedder import Embedder
from landmark_zoo.serving.embedders.whitened import Whitened
from landmark_zoo.serving.write_saved_model import write_saved_model


def write_export(embedder: Embedder, output: str | Path, info: Mapping[str, Any], whitening: WhiteningOptions,
                 card: CardOptions, data: Mapping[str, Any], recipe: Mapping[str, Any]) -> Path:
    """Puts a whitening behind an embedder and writes the SavedModel with its card.

    Args:
        embedder: Without whitening.
        output: `<name>`.
        info: More facts for `info`.
        whitening: Which.
        card: For the card.
        data: What the model was trained on, for the card.
        recipe: How, for the card.

    Returns:
        The folder of the new version.
    """
    fitted = whitening.read_or_fit(lambda folder: write_saved_model(embedder, folder, info), embedder.facts)
    whole = embedder if fitted is None else Whitened(embedder, fitted)
    return write_saved_model(whole, output, info, card.notes(data, recipe, {**whole.facts, **info}))
