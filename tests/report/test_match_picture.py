import numpy as np

from landmark_zoo.report.match_picture import GAP, HEIGHT, MOST_LINES, match_picture
from landmark_zoo.retrieval.rerank.geometry import Geometry

QUERY, CANDIDATE = np.full((240, 320, 3), 40, np.uint8), np.full((960, 480, 3), 60, np.uint8)


def geometry(query, candidate):
    return Geometry(np.array(query, np.float32), np.array(candidate, np.float32), np.eye(3))


def test_side_by_side_at_one_height():
    drawn = match_picture(QUERY, CANDIDATE, None)
    assert drawn.shape == (HEIGHT, 640 + GAP + 240, 3)
    assert (drawn[:, :640] == 40).all()
    assert (drawn[:, 640:640 + GAP] == 255).all()
    assert (drawn[:, 640 + GAP:] == 60).all()


def test_a_line_joins_the_two_points():
    drawn = match_picture(QUERY, CANDIDATE, geometry([[100, 120]], [[240, 480]]))
    changed = np.abs(drawn.astype(int) - match_picture(QUERY, CANDIDATE, None)).sum(axis=2) > 60
    assert changed[240, 210:640].all()
    assert changed[240, 650:760].all()
    assert not changed[:200].any()
    assert not changed[:, 780:].any()


def test_of_many_matches_some_are_drawn():
    y = np.linspace(0, 239, 10 * MOST_LINES)
    points = np.stack([np.full_like(y, 160), y], axis=1)
    drawn = match_picture(QUERY, QUERY, geometry(points, points))
    column = np.abs(drawn[:, 500].astype(int) - 40).sum(axis=1) > 60
    assert MOST_LINES // 2 < (np.diff(column.astype(int)) == 1).sum() <= MOST_LINES


def test_no_matches():
    np.testing.assert_array_equal(match_picture(QUERY, QUERY, geometry(np.zeros((0, 2)), np.zeros((0, 2)))),
                                  match_picture(QUERY, QUERY, None))
