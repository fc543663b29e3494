import numpy as np

from landmark_zoo.data.analysis.measure import MEASURES
from landmark_zoo.report.analysis.dates import dates


def test_years_and_months_in_words_and_bars():
    table = np.zeros(5, MEASURES)
    table["year"], table["month"] = [2004, 2009, 2009, 0, 0], [3, 7, 7, 0, 0]
    html = dates(table)
    assert "3 photographs (60.0 %) have a date, from 2004 to 2009. Most are of 2009, and of July." in html
    assert html.count("<svg") == 2


def test_one_date_and_none():
    table = np.zeros(2, MEASURES)
    assert dates(table) == ""
    table["year"][0], table["month"][0] = 1999, 12
    assert "from 1999 to 1999" in dates(table)
