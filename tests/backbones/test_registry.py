"""Rows of the backbone table."""

import pytest

from landmark_zoo.backbones.build import MODES
from landmark_zoo.backbones.registry import BACKBONES


@pytest.mark.parametrize("name", BACKBONES)
def test_row_is_complete(name):
    spec = BACKBONES[name]
    assert spec.name == name
    assert spec.preprocessing in MODES
    assert spec.taps.keys() == spec.strides.keys() == ({"C5"} if name.startswith("dinov2") else {"C3", "C4", "C5"})
    assert any(character.isdigit() for character in spec.paper)
    assert spec.family
    assert spec.smallest_side >= 32
