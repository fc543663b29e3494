import json

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.report.attention_overlay import MOST_PICTURES, attention_overlays, overlay


@pytest.fixture
def folder(tmp_path):
    Image.new("RGB", (80, 60), "green").save(tmp_path / "a.jpg")
    np.save(tmp_path / "0.npy", np.arange(12, dtype=np.float32).reshape(3, 4))
    write(tmp_path, [{"image": "a.jpg", "title": "<b>tower</b>",
                      "maps": [{"name": "attention/<se>", "file": "0.npy"}]}])
    return tmp_path


def write(folder, entries):
    (folder / "overlays.json").write_text(json.dumps(entries))


def test_the_picture_stands_beside_its_maps(folder):
    html = attention_overlays(folder)
    assert html.count('<img src="data:image/jpeg;base64,') == 2
    assert "attention/&lt;se&gt; (0 to 11)" in html
    assert "<b>tower" not in html
    assert 'alt="attention/&lt;se&gt; over &lt;b&gt;tower&lt;/b&gt;"' in html


def test_no_more_than_so_many_pictures(folder):
    write(folder, [{"image": "a.jpg", "title": "t", "maps": []}] * (MOST_PICTURES + 2))
    html = attention_overlays(folder)
    assert html.count("<img") == MOST_PICTURES
    assert "2 more pictures" in html


def test_the_largest_value_is_the_brightest_place():
    attention = np.zeros((4, 4), np.float32)
    attention[3, 0] = 1000
    drawn = overlay(np.full((64, 64, 3), 128, np.uint8), attention)
    assert (drawn.shape, drawn.dtype) == ((64, 64, 3), np.uint8)
    assert np.unravel_index(drawn.sum(-1).argmax(), (64, 64))[0] > 48
    assert drawn[60, 3].sum() > drawn[3, 60].sum() + 200


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6, -1e6])
def test_any_range_is_drawn(scale):
    drawn = overlay(np.zeros((32, 32, 3), np.uint8), scale * np.eye(4))
    assert drawn.max() > 100


def test_a_constant_map_is_an_even_tint():
    drawn = overlay(np.zeros((32, 48, 3), np.uint8), np.full((3, 3), 7.0))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("bad", [np.zeros((2, 2, 2)), np.zeros((0, 3)), np.full((2, 2), np.nan), np.array([["a"]]),
                                 np.array([[None]], object)])
def test_a_map_that_is_none(folder, bad):
    np.save(folder / "0.npy", bad)
    with pytest.raises(UserError, match="attention map"):
        attention_overlays(folder)


@pytest.mark.parametrize("entries", [{"image": 1}, [1], [{"title": "t"}], [{"image": None, "title": "t", "maps": []}]])
def test_a_list_that_is_none(folder, entries):
    write(folder, entries)
    with pytest.raises(UserError, match=r"overlays\.json"):
        attention_overlays(folder)


@pytest.mark.parametrize("missing", ["a.jpg", "0.npy", "overlays.json"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(UserError, match=missing):
        attention_overlays(folder)
