import numpy as np

from landmark_zoo.data.analysis.measure import MEASURES
from landmark_zoo.report.analysis.places import places


def test_near_places_are_one_dot():
    table = np.zeros(4, MEASURES)
    table["latitude"], table["longitude"] = [43.3, 43.4, -33.9, np.nan], [5.3, 5.4, 151.2, np.nan]
    html = places(table)
    assert "3 photographs (75.0 %) have a place." in html
    assert "there are 2, and the fullest holds 2." in html
    assert html.count("<svg") == 1


def test_no_places_no_map():
    table = np.zeros(1, MEASURES)
    table["latitude"] = np.nan
    assert places(table) == ""
