"""Losses that cannot be are refused with the flag's name."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.objectives import OBJECTIVES
from landmark_zoo.training.objectives.config import ObjectiveConfig


@pytest.mark.parametrize(("settings", "said"), [
    ({"objective": "contrastve"}, "a known objective; received 'contrastve'. Use one of: contrastive"),
    ({"class_weights": "log"}, "--class_weights among none, inverse_log, inverse; received 'log'"),
    ({"sos_weight": -1}, "--sos_weight >= 0; received -1"),
    ({"label_smoothing": 1.0}, "0 <= --label_smoothing < 1"),
    ({"classification_weight": 0.5}, "--classification_weight with an objective on pairs only"),
    ({"loss_margin": 0.5}, "the margin of a head is --margin"),
    ({"objective": "triplet_hard", "loss_margin": 0.0}, "a positive --loss_margin"),
    ({"objective": "contrastive", "sampled_classes": 8}, "--objective=classification only"),
    ({"objective": "tuple_triplet", "class_weights": "inverse"}, "with cross-entropy only")])
def test_refused(settings, said):
    with pytest.raises(UserError, match=said):
        ObjectiveConfig(**settings)


def test_heads():
    with_head = {name for name in OBJECTIVES if ObjectiveConfig(name).has_head}
    assert with_head == {"classification", "delg"}
    assert ObjectiveConfig("contrastive", classification_weight=0.5).has_head
