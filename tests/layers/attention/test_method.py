"""Rows of the attention table."""

import pytest

from landmark_zoo.layers.attention import ATTENTION, Method
from landmark_zoo.layers.attention.san import SelfAttentionModule
from landmark_zoo.layers.attention.se import SqueezeExcitation


def test_quadrant_in_words():
    method = Method("both", SqueezeExcitation, "Nobody, 2000", local_spatial=True, local_channel=True)
    assert method.quadrant == "local spatial + local channel"


def test_create_takes_the_rows_arguments_and_overrides():
    method = Method("narrow", SqueezeExcitation, "Nobody, 2000", arguments={"reduction": 4})
    assert method.create().reduction == 4
    assert method.create(reduction=8, name="x").name == "x"
    assert ATTENTION["se"].create().reduction == 16


def test_what_stands_in_for_a_convolution():
    able = {name for name, method in ATTENTION.items() if method.replacement is not None}
    assert able == {"aa", "san_pairwise", "san_patchwise"}
    layer = ATTENTION["san_patchwise"].create_replacement(24, kernel_size=3, name="x")
    assert isinstance(layer, SelfAttentionModule)
    assert (layer.kind, layer.filters, layer.kernel_size, layer.name) == ("patchwise", 24, 3, "x")
    with pytest.raises(ValueError, match="can replace a convolution; received se"):
        ATTENTION["se"].create_replacement(24)
