import numpy as np

from landmark_zoo.data.analysis.findings import class_balance
from landmark_zoo.data.analysis.measures import MEASURES
from landmark_zoo.report.analysis_charts import SHOWN, countries, dates, landmarks, places, sizes, when_and_where


def balance(counts):
    return class_balance(name for name, count in counts.items() for _ in range(count))


def test_head_and_tail_in_words_and_on_logarithmic_axes():
    html = landmarks(balance({f"place_{number}": max(1, 600 // (number + 1) ** 2) for number in range(80)}))
    assert "The most photographed landmark has 600 photographs, the least 1, the one in the middle 1." in html
    assert "Half of all 1,010 photographs show 1 landmark (1.2 % of 80)" in html
    assert "63 landmarks have a single photograph, 73 landmarks at most 10." in html
    assert "logarithmic axes: 600 to 1" in html
    assert '<th scope="row">3 to 5</th><td>4</td><td>5.0 %</td>' in html
    assert '<th scope="row">501 to 1,000</th><td>1</td>' in html
    assert "The 50 most photographed" in html
    assert "place 49" in html
    assert "place 50" not in html


def test_even_landmarks_have_no_tail():
    html = landmarks(balance({"a": 12, "<b>": 10}))
    assert "2 landmarks with 10 to 12 photographs each" in html
    assert "From head to tail" not in html
    assert "&lt;b&gt;" in html
    assert "1 landmark with 3 photographs each." in landmarks(balance({"a": 3}))


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


def test_the_most_imageed_come_first():
    html = countries(["Peru", "<Chad>", "Peru", ""])
    assert "2 countries are named, for 75.0 % of the photographs." in html
    assert html.index("Peru") < html.index("&lt;Chad&gt;")
    assert "<td>66.7 %</td>" in html


def test_only_the_first_are_listed():
    html = countries([f"C{number:02}" for number in range(SHOWN + 5)])
    assert html.count("<tr>") == SHOWN + 1


def test_none():
    assert countries([]) == countries(["", ""]) == ""


def test_what_is_not_known_is_said_in_one_paragraph():
    table = np.zeros(2, MEASURES)
    table["latitude"] = np.nan
    assert when_and_where(table, []).count("<p>") == 1
    html = when_and_where(table, ["Peru", ""])
    assert "1 country is named" in html
    assert "No photograph carries a date in its EXIF. No photograph carries a place" in html
    assert "No table" not in html
