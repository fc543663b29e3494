import re

from landmark_zoo.report.figure import SERIES
from landmark_zoo.report.style import DARK, LIGHT, STYLE


def test_refers_to_nothing_outside():
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert "</" not in STYLE


def test_braces_balance():
    assert STYLE.count("{") == STYLE.count("}")


def test_light_and_dark_define_every_colour_that_is_used():
    names = set(re.findall(r"(--[\w-]+):", LIGHT))
    assert set(re.findall(r"(--[\w-]+):", DARK)) == names
    assert set(re.findall(r"var\((--[\w-]+)\)", STYLE)) <= names
    assert {f"--series-{number}" for number in range(len(SERIES))} <= names


def test_there_is_a_page_for_phones_and_for_paper():
    assert "max-width: 700px" in STYLE
    assert "@media print" in STYLE
