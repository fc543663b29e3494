"""Rows of the attention table."""

from landmark_zoo.layers.attention import ATTENTION, Method
from landmark_zoo.layers.attention.se import SqueezeExcitation


def test_quadrant_in_words():
    method = Method("both", SqueezeExcitation, "Nobody, 2000", local_spatial=True, local_channel=True)
    assert method.quadrant == "local spatial + local channel"


def test_create_takes_the_rows_arguments_and_overrides():
    method = Method("narrow", SqueezeExcitation, "Nobody, 2000", arguments={"reduction": 4})
    assert method.create().reduction == 4
    assert method.create(reduction=8, name="x").name == "x"
    assert ATTENTION["se"].create().reduction == 16
