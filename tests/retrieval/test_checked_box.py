"""Boxes before any picture is read."""

import math

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.checked_box import checked_box


def test_good_box_becomes_floats():
    assert checked_box([1, 2.5, 30, 40], "q") == (1.0, 2.5, 30.0, 40.0)


@pytest.mark.parametrize("box", [
    [3, 0, 3, 9], [5, 0, 3, 9], [0, 9, 3, 2], [-1, 0, 3, 9], [0, 0, 3], [0, 0, math.nan, 9], [0, 0, math.inf, 9], None,
    ["a", 0, 1, 2],
])
def test_wrong_box_names_the_picture(box):
    with pytest.raises(UserError, match="for all_souls_000013"):
        checked_box(box, "all_souls_000013")
