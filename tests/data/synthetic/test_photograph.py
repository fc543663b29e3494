import numpy as np
import pytest

from landmark_zoo.data.synthetic.photograph import photograph
from landmark_zoo.data.synthetic.site import draw_site


def test_a_photograph_depends_on_its_arguments_alone(site):
    first = photograph(site, 3)
    again = photograph(draw_site(0, 0, 96, "temple"), 3)
    assert (first.image == again.image).all()
    assert first.box == again.box
    assert (first.image.shape != photograph(site, 4).image.shape
            or (first.image != photograph(site, 4).image).any())


@pytest.mark.parametrize("view", ["any", "easy", "hard", "junk"])
def test_boxes_lie_in_the_picture(site, view):
    for number in range(6):
        taken = photograph(site, number, view)
        height, width = taken.image.shape[:2]
        assert taken.image.dtype == np.uint8
        assert max(height, width) == 96
        assert 0 <= taken.visible <= 1
        if taken.box:
            x1, y1, x2, y2 = taken.box
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height


def test_easy_views_show_the_landmark_and_junk_hardly(site):
    easy, junk = ([photograph(site, number, view) for number in range(8)] for view in ("easy", "junk"))
    assert all(taken.box and taken.visible > 0.5 and taken.moment == "day" for taken in easy)
    assert np.median([area(taken) for taken in junk]) < 0.2 * np.median([area(taken) for taken in easy])


def area(taken):
    x1, y1, x2, y2 = taken.box or (0, 0, 0, 0)
    return (x2 - x1) * (y2 - y1)


def test_two_views_share_the_landmark_and_differ(site):
    taken = [photograph(site, number, "easy") for number in range(4)]
    assert np.std([view.turn for view in taken]) > 0.05
    assert len({round(float(view.image.mean())) for view in taken}) > 1


def test_the_box_is_where_the_landmark_is(site):
    with_landmark = photograph(site, 1, "easy")
    x1, y1, x2, y2 = (int(value) for value in with_landmark.box)
    inside = with_landmark.image[y1:y2, x1:x2].astype(float)
    assert inside.std() > 10


def test_a_street_shows_no_landmark():
    taken = photograph(draw_site(0, 9, 96, None), 0)
    assert taken.box is None
    assert taken.visible == 0
