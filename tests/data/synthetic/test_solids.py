import numpy as np
import pytest

from landmark_zoo.data.synthetic.mason import Mason
from landmark_zoo.data.synthetic.solids import block, gable_roof, hip_roof, prism, round_body, steps


@pytest.fixture(scope="module")
def mason(building):
    return Mason(building, 200)


def bounds(panels):
    corners = np.concatenate([panel.corners for panel in panels])
    return corners.min(0), corners.max(0)


def outwards(panels, middle):
    return all(panel.normal @ (panel.corners.mean(0) - middle) > 0 for panel in panels if panel.closed)


def test_a_block_is_a_closed_box(mason):
    panels = block(mason, 5, -3, 10, 6, 2, 8)
    low, high = bounds(panels)
    assert low == pytest.approx((0, 2, -6))
    assert high == pytest.approx((10, 10, 0))
    assert outwards(panels, (5, 6, -3))


@pytest.mark.parametrize(("along", "size"), [("z", (10, 20)), ("x", (20, 10))])
def test_a_gable_roof_covers_its_house(mason, along, size):
    panels = gable_roof(mason, 1, 2, *size, 5, 4, along)
    low, high = bounds(panels)
    assert high - low == pytest.approx((size[0], 4, size[1]))
    assert outwards(panels, (1, 5, 2))


def test_a_hip_roof_narrows_to_its_top(mason):
    panels = hip_roof(mason, 0, 0, 10, 6, 3, 4, top=0.5)
    low, high = bounds(panels[-1:])
    assert high - low == pytest.approx((5, 0, 3))
    assert high[1] == pytest.approx(7)
    assert outwards(panels, (0, 4, 0))


def test_a_prism_closes(mason):
    panels = prism(mason.plain(3, 5), 0, 0, 8, 3, 0, 5)
    assert len(panels) == 8
    ends = np.concatenate([panel.corners[:2] for panel in panels])
    gaps = np.linalg.norm(ends[:, None] - ends[None], axis=2) + 9 * np.eye(16)
    assert gaps.min(1) == pytest.approx(np.zeros(16), abs=1e-6)
    assert outwards(panels, (0, 2.5, 0))


def test_steps_shrink_as_they_rise(mason):
    panels = steps(mason, 0, 0, 20, 20, 3, 3)
    assert bounds(panels)[1][1] == pytest.approx(3)
    assert bounds(panels[:6])[1][0] > bounds(panels[12:])[1][0]


def test_a_round_body_is_as_wide_as_its_canvas_says(mason):
    body = round_body(mason.canvas(np.pi * 3, 7, (200, 200, 200)), "shaft", 1, 2, 4)
    low, high = bounds([body])
    assert high - low == pytest.approx((6, 7, 0))
    assert body.sprite
