"""Impossible settings are refused with the flag's name."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.config import TrainingConfig


@pytest.mark.parametrize(("change", "said"), [
    ({"batch_size": 0}, "--batch_size >= 1; received 0"), ({"image_size": 16}, "--image_size >= 32"),
    ({"optimizer": "lion"}, "--optimizer among sgd, adam, adamw; received 'lion'"),
    ({"learning_rate": 0.0}, "--learning_rate > 0"), ({"head_multiplier": -1.0}, "multipliers >= 0")])
def test_refused(change, said):
    with pytest.raises(UserError, match=said):
        TrainingConfig(**change)
