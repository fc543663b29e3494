import numpy as np
import pytest

from landmark_zoo.data.synthetic.canvas import Canvas
from landmark_zoo.data.synthetic.turning import OUTLINES, turn


@pytest.mark.parametrize("name", OUTLINES)
def test_bodies_are_symmetric_and_as_wide_as_their_outline(name):
    canvas = Canvas(np.pi * 2, 8, 12, np.full((96, 76, 3), 200, np.uint8))
    covered = turn(canvas, OUTLINES[name]).pixels[..., 3] > 127
    greatest = max(share for _, share in OUTLINES[name])
    assert covered.shape == (96, pytest.approx(2 * greatest * 24, abs=2))
    assert covered.any(1).mean() > 0.95
    assert (covered == covered[:, ::-1]).mean() > 0.98


def test_light_comes_from_the_left():
    canvas = Canvas(np.pi * 2, 4, 12, np.full((48, 76, 3), 200, np.uint8))
    row = turn(canvas, OUTLINES["shaft"]).pixels[24, :, 0].astype(int)
    assert row[len(row) // 4] > row[-len(row) // 4] + 20


def test_a_needle_ends_in_a_point():
    canvas = Canvas(np.pi * 2, 8, 12, np.full((96, 76, 3), 200, np.uint8))
    covered = turn(canvas, OUTLINES["needle"]).pixels[..., 3] > 127
    assert covered[-1].sum() > 40
    assert covered[1].sum() < 6
