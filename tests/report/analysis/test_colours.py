import numpy as np

from landmark_zoo.report.analysis.colours import colours


def test_counts_and_shows_what_has_no_colour(findings):
    html = colours(findings, np.random.default_rng(0))
    assert "1 photograph of 5 (20.0 %) is grey, 0 more (0 %) almost so" in html
    assert html.count("<img") == 1
    assert 'title="train2"' in html
    assert "taj mahal" in html
    assert "Almost grey" not in html
