from landmark_zoo.report.analysis.countries import SHOWN, countries


def test_the_most_photographed_come_first():
    html = countries(["Peru", "<Chad>", "Peru", ""])
    assert "2 countries are named, for 75.0 % of the photographs." in html
    assert html.index("Peru") < html.index("&lt;Chad&gt;")
    assert "<td>66.7 %</td>" in html


def test_only_the_first_are_listed():
    html = countries([f"C{number:02}" for number in range(SHOWN + 5)])
    assert html.count("<tr>") == SHOWN + 1


def test_none():
    assert countries([]) == countries(["", ""]) == ""
