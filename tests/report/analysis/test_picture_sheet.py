import base64
import io
import re

from PIL import Image

from landmark_zoo.report.analysis.picture_sheet import MAX_BYTES, picture, picture_groups, picture_sheet


def test_a_picture_is_inside_and_small(findings):
    html = picture(findings.collection, 2)
    data = base64.b64decode(re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)[1])
    assert Image.open(io.BytesIO(data)).size == (64, 48)
    assert len(data) <= MAX_BYTES
    assert 'title="train2"' in html


def test_a_broken_picture_is_a_field_with_its_id(findings):
    assert picture(findings.collection, 4) == ('<span class="missing" role="img" aria-label="train4, picture missing">'
                                               "train4</span>")


def test_captions_are_escaped(findings):
    for html in (picture_sheet(findings.collection, [(0, "<b>x</b>")]),
                 picture_groups(findings.collection, [([0, 1], "<b>x</b>")])):
        assert "<figcaption>&lt;b&gt;x&lt;/b&gt;</figcaption>" in html


def test_nothing_to_show_is_nothing(findings):
    assert picture_sheet(findings.collection, []) == picture_groups(findings.collection, []) == ""
