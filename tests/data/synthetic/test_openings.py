import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.synthetic.openings import OPENINGS, opening


@given(st.sampled_from([*OPENINGS, "oculus"]), st.floats(0.5, 5), st.floats(1, 9))
def test_every_opening_fills_its_box(shape, width, height):
    points = opening(shape, 10, 3, width, height)
    assert np.isfinite(points).all()
    assert points[:, 0].min() >= 10 - width / 2 - 1e-6
    assert points[:, 0].max() <= 10 + width / 2 + 1e-6
    assert points[:, 1].min() == pytest.approx(3)
    assert points[:, 1].max() == pytest.approx(3 + height, rel=0.01)


@given(st.sampled_from(OPENINGS))
def test_left_mirrors_right(shape):
    points = opening(shape, 0, 0, 2, 5)
    assert sorted(np.round(points[:, 0], 6)) == pytest.approx(sorted(np.round(-points[:, 0], 6)), abs=1e-5)


def test_unknown_shape_is_named():
    with pytest.raises(ValueError, match="keyhole"):
        opening("keyhole", 0, 0, 1, 2)
