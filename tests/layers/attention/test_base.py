"""The base of attention blocks."""

import pytest

from landmark_zoo.layers.attention.base import Attention, channels_of


def test_channels_of():
    assert channels_of([None, None, None, 32], "SE", 16) == 32
    for shape in ([None, 7, 32], [None, 7, 7, None], [None, 7, 7, 8]):
        with pytest.raises(ValueError, match=r"SE: expected \[batch, height, width, channels >= 16\]; received shape"):
            channels_of(shape, "SE", 16)


def test_a_block_without_attend_cannot_be_made():
    class Nothing(Attention):
        pass

    with pytest.raises(TypeError, match="attend"):
        Nothing()
