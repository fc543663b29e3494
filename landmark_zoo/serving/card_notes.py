"""What a model card says that the model itself does not know."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class CardNotes:
    """Facts for `model_card.model_card`.

    Attributes:
        data: What the model was trained on: source, photographs, landmarks, ...
        recipe: How: model configuration and flags of the run.
        scores: Results of `experiments.evaluate`, each with its protocol card.
        licence: Under which licence the model is handed on.
    """

    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    scores: Sequence[Mapping[str, Any]] = ()
    licence: str = "not stated"
