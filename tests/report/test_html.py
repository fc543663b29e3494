import base64
import io
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.evaluation.results import Measure
from landmark_zoo.report.charts import SERIES
from landmark_zoo.report.html import (
    POLICY,
    STYLE,
    Html,
    Thumbnails,
    counted,
    document,
    facts_table,
    interval,
    jpeg_source,
    percent,
    readable_name,
    share,
    table,
)


def test_sections_are_linked_and_nothing_is_loaded():
    page = document("a < b", "<header></header>", [("one", "First", "<p>1</p>"), ("two", "Second", "<p>2</p>")])
    assert "<title>a &lt; b</title>" in page
    assert POLICY in page
    assert page.index('href="#one"') < page.index('<section id="one">') < page.index('<section id="two">')


def test_cells_are_escaped_unless_they_are_html():
    html = table(["<a>", "b"], [["<i>", Html("<b>1</b>")], [3, "x & y"]])
    assert '<th scope="col">&lt;a&gt;</th>' in html
    assert '<tr><th scope="row">&lt;i&gt;</th><td><b>1</b></td></tr>' in html
    assert '<tr><th scope="row">3</th><td>x &amp; y</td></tr>' in html


def test_marked_rows():
    assert table(["a"], [["x"], ["y"]], [False, True]).count('<tr class="marked"><th scope="row">y') == 1


def decoded(html):
    data = re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)[1]
    return base64.b64decode(data)


def test_an_image_is_inside_and_small(find_image):
    html = Thumbnails(find_image, side=120).html("q0", "a query")
    image = Image.open(io.BytesIO(decoded(html)))
    assert (image.format, image.size) == ("JPEG", (120, 90))
    assert 'alt="a query"' in html


def test_a_missing_image_is_a_field_with_the_id(find_image):
    thumbnails = Thumbnails(find_image)
    html = thumbnails.html("i2", "rank 1")
    assert html == '<span class="missing" role="img" aria-label="rank 1, picture missing">i2</span>'
    thumbnails.html("i2", "rank 2")
    assert thumbnails.missing == {"i2"}


def test_a_broken_image_counts_as_missing(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8 no picture")
    thumbnails = Thumbnails(lambda _: tmp_path / "x.jpg")
    assert "missing" in thumbnails.html("x", "x")
    assert thumbnails.missing == {"x"}


def test_ids_and_texts_are_escaped(tmp_path):
    html = Thumbnails(lambda _: tmp_path / "nowhere").html("<script>alert(1)</script>", '"><b>')
    assert "<script>" not in html
    assert '"><b>' not in html


def test_an_image_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 40)).save(tmp_path / "turned.jpg", exif=exif)
    html = Thumbnails(lambda _: tmp_path / "turned.jpg").html("turned", "")
    assert Image.open(io.BytesIO(decoded(html))).size == (40, 80)


@pytest.mark.parametrize("max_bytes", [20_000, 5_000, 1_000])
def test_no_thumbnail_is_larger_than_allowed(max_bytes):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8))
    source = jpeg_source(noise, 300, max_bytes)
    assert len(base64.b64decode(source.partition(",")[2])) <= max_bytes


def test_values_read_well():
    html = facts_table("Model", {"parameters": 1234567, "frozen": False, "alpha": None, "list": ["a", "b"],
                                 "rate": 2e-5, "<name>": "<script>"})
    assert '<th scope="col">Model</th>' in html
    for name, value in (("parameters", "1,234,567"), ("frozen", "no"), ("alpha", "–"), ("list", "a, b"),
                        ("rate", "2e-05"), ("&lt;name&gt;", "&lt;script&gt;")):
        assert f'<th scope="row">{name}</th><td>{value}</td>' in html


@pytest.mark.parametrize(("value", "text"), [(0.7125, "71.2"), (0.0, "0.0"), (1, "100.0"), (None, "–")])
def test_percent(value, text):
    assert percent(value) == text


def test_interval():
    assert interval(Measure(0.5, 0.4, 0.6)) == "40.0–60.0"
    assert interval(Measure(0.5, None, None)) == ""


def test_refers_to_nothing_outside():
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert "</" not in STYLE


def test_braces_balance():
    assert STYLE.count("{") == STYLE.count("}")


def test_light_and_dark_define_every_color_that_is_used():
    light, dark = (set(re.findall(r"(--[\w-]+):", block)) for block in STYLE.split("* {")[0].split("@media screen"))
    assert dark == light
    assert set(re.findall(r"var\((--[\w-]+)\)", STYLE)) <= light
    assert {f"--series-{number}" for number in range(len(SERIES))} <= light


def test_an_installed_package_has_the_style_sheet(root, tmp_path):
    subprocess.run([sys.executable, "setup.py", "--quiet", "build_py", f"--build-lib={tmp_path}"], cwd=root, check=True)
    assert (tmp_path / "landmark_zoo/report/style.css").read_text(encoding="utf-8") == STYLE


def test_there_is_a_page_for_phones_and_for_paper():
    assert "max-width: 700px" in STYLE
    assert "@media print" in STYLE


def test_none_one_and_many():
    assert [counted(number, "photograph") for number in (0, 1, 2345)] == [
        "no photographs", "1 photograph", "2,345 photographs"]
    assert counted(3, "country", "countries") == "3 countries"


@pytest.mark.parametrize(("part", "whole", "text"), [
    (0, 10, "0 %"), (10, 10, "100 %"), (1, 14, "7.1 %"), (1, 5000, "under 0.1 %"), (4999, 5000, "over 99.9 %"),
    (0, 0, "0 %")])
def test_never_rounds_to_none_or_all(part, whole, text):
    assert share(part, whole) == text


def test_folders_become_words_and_numbers_stay():
    assert readable_name("wonders/taj_mahal") == "taj mahal"
    assert readable_name("139894") == "139894"
    assert readable_name("_") == " "
    assert readable_name("") == ""
