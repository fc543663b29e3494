import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.report.thumbnail import Thumbnails, jpeg_source


def decoded(html):
    data = re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)[1]
    return base64.b64decode(data)


def test_a_picture_is_inside_and_small(find_image):
    html = Thumbnails(find_image, side=120).html("q0", "a query")
    image = Image.open(io.BytesIO(decoded(html)))
    assert (image.format, image.size) == ("JPEG", (120, 90))
    assert 'alt="a query"' in html


def test_a_missing_picture_is_a_field_with_the_id(find_image):
    thumbnails = Thumbnails(find_image)
    html = thumbnails.html("i2", "rank 1")
    assert html == '<span class="missing" role="img" aria-label="rank 1, picture missing">i2</span>'
    thumbnails.html("i2", "rank 2")
    assert thumbnails.missing == {"i2"}


def test_a_broken_picture_counts_as_missing(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8 no picture")
    thumbnails = Thumbnails(lambda _: tmp_path / "x.jpg")
    assert "missing" in thumbnails.html("x", "x")
    assert thumbnails.missing == {"x"}


def test_ids_and_texts_are_escaped(tmp_path):
    html = Thumbnails(lambda _: tmp_path / "nowhere").html("<script>alert(1)</script>", '"><b>')
    assert "<script>" not in html
    assert '"><b>' not in html


def test_a_photograph_is_turned_upright(tmp_path):
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
