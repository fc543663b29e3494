"""What goes into a model card besides what the model and its run know."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from landmark_zoo.evaluation.scores_for_card import scores_for_card
from landmark_zoo.serving.card_notes import CardNotes


@dataclasses.dataclass(frozen=True)
class CardOptions:
    """Scores and licence.

    Attributes:
        results: For the model card: folders of experiments.evaluate, of an earlier export of this model; commas between
            them.
        licence: For the model card: under which licence the model is handed on.
    """

    results: str = ""
    licence: str = "not stated"

    def notes(self, data: Mapping[str, Any], recipe: Mapping[str, Any], info: Mapping[str, Any]) -> CardNotes:
        """Returns the notes for a model card.

        Args:
            data: What the model was trained on.
            recipe: How.
            info: What the export will say of itself, to which the results must fit.
        """
        folders = [folder for folder in self.results.split(",") if folder]
        return CardNotes(data, recipe, [scores_for_card(folder, info) for folder in folders], self.licence)
