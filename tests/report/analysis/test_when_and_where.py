import numpy as np

from landmark_zoo.data.analysis.measure import MEASURES
from landmark_zoo.report.analysis.when_and_where import when_and_where


def test_what_is_not_known_is_said_in_one_paragraph():
    table = np.zeros(2, MEASURES)
    table["latitude"] = np.nan
    assert when_and_where(table, []).count("<p>") == 1
    html = when_and_where(table, ["Peru", ""])
    assert "1 country is named" in html
    assert "No photograph carries a date in its EXIF. No photograph carries a place" in html
    assert "No table" not in html
