import numpy as np

from landmark_zoo.data.analysis.measure import MEASURES
from landmark_zoo.report.analysis.sizes import sizes


def table(*sizes):
    rows = np.zeros(len(sizes), MEASURES)
    rows["height"], rows["width"] = np.array(sizes).T
    return rows


def test_says_what_is_usual_and_what_is_extreme():
    html = sizes(table((300, 400), (400, 300), (400, 400), (100, 400), (200, 250)))
    assert "from 250 to 400 pixels, 400 in the middle. 80.0 % have exactly 400, probably shrunk to that." in html
    assert "60.0 % are landscape, 20.0 % portrait, 20.0 % square. 1 is more than 3 times as long as wide." in html


def test_one_size_is_drawn_too():
    html = sizes(table((64, 64), (64, 64)))
    assert "from 64 to 64 pixels" in html
    assert html.count("<svg") == 2
    assert "shrunk" not in html
