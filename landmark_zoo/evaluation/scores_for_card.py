"""Results of an evaluation as a model card shows them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.evaluation.protocol_card import ProtocolCard

STATED = ("side", "scales", "aggregation", "whitening", "training_data")


def scores_for_card(directory: str | Path, info: Mapping[str, Any]) -> dict[str, Any]:
    """Reads `metrics.json` of a result folder.

    A card is written with its export, and an evaluation needs the export: the scores are those of an earlier export of the
    same model. Their protocol card says of which, and must state what the new export will state.

    Args:
        directory: What `experiments.evaluate` wrote.
        info: What the new export will say of itself.

    Returns:
        "name", "benchmark", "protocol", "metrics" and "card".

    Raises:
        UserError: No results there, or those of a model with other settings.
    """
    facts = read_json(Path(directory) / "metrics.json")
    try:
        score = {key: facts[key] for key in ("name", "benchmark", "protocol", "metrics")}
        card = ProtocolCard.from_dict(facts["card"]).to_dict()
    except (KeyError, TypeError) as error:
        raise UserError(f"results of experiments.evaluate in {directory}", f"none ({error})", "Evaluate again.") from error
    for key in STATED:
        if key in info and info[key] != card[key]:
            raise UserError(f"results of a model with {key} {info[key]}", f"{card[key]} in {directory}",
                            "Give results of an earlier export of this model with the same settings.")
    return {**score, "card": card}
