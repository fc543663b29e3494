import json
import math

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.base import MAP_KINDS
from landmark_zoo.report.attention import (
    GATE,
    MOST_IMAGES,
    NORM,
    SCORE,
    SHARE,
    SIGNED,
    WORDS,
    attention_overlays,
    caption,
    channel_picture,
    end_channels,
    is_flat,
    map_picture,
    on_scale,
    overlay,
)


@pytest.fixture
def folder(tmp_path):
    Image.new("RGB", (80, 60), "green").save(tmp_path / "a.jpg")
    np.save(tmp_path / "0.npy", np.arange(12, dtype=np.float32).reshape(3, 4))
    write(tmp_path, [{"image": "a.jpg", "title": "<b>tower</b>",
                      "maps": [{"name": "attention/<se>", "file": "0.npy"}]}])
    return tmp_path


def write(folder, entries):
    (folder / "overlays.json").write_text(json.dumps(entries))


def test_the_image_stands_beside_its_maps(folder):
    html = attention_overlays(folder)
    assert html.count('<img src="data:image/jpeg;base64,') == 2
    assert "attention/&lt;se&gt;: 0 to 11 (scale: x / (1 + |x|), 0 in the middle)" in html
    assert "<b>tower" not in html
    assert 'alt="attention/&lt;se&gt; over &lt;b&gt;tower&lt;/b&gt;"' in html


def test_no_more_than_so_many_images(folder):
    write(folder, [{"image": "a.jpg", "title": "t", "maps": []}] * (MOST_IMAGES + 2))
    html = attention_overlays(folder)
    assert html.count("<img") == MOST_IMAGES
    assert "2 more pictures" in html


@pytest.mark.parametrize(("kind", "values", "places"), [
    (GATE, [0, 0.25, 1], [0, 0.25, 1]), (SHARE, [0, 0.125, 0.25, 1, 2, 9], [0, 0, 0, 0.5, 0.75, 1]),
    (SCORE, [1, 4, 7], [0, 0.5, 0.5 + math.log2(7 / 4) / 4]), (SCORE, [0, 0], [0.5, 0.5]),
    (SIGNED, [-1e9, -1, 0, 1, 3], [0, 0.25, 0.5, 0.75, 0.875]), (NORM, [0, 2, 4], [0, 0.5, 1]), (NORM, [0, 0], [0, 0])])
def test_a_fixed_scale_for_each_kind(kind, values, places):
    np.testing.assert_allclose(on_scale(np.array(values), kind), places, atol=1e-6)
    assert set(WORDS) == {*MAP_KINDS, NORM}


@pytest.mark.parametrize(("kind", "middle"), [(GATE, 0.5), (SHARE, 1), (SCORE, 0.69), (SIGNED, 3)])
def test_a_spread_that_means_nothing_is_not_stretched(kind, middle):
    """The map of the report that was filed: a spread of .0002, drawn from black to yellow."""
    attention = middle + np.linspace(0, 2e-4, 49).reshape(7, 7)
    assert is_flat(attention, kind)
    assert ", flat (scale: " in caption("attention/x", attention, kind)
    assert np.ptp(overlay(np.zeros((56, 56, 3), np.uint8), attention, kind), axis=(0, 1)).max() <= 3
    image = np.zeros((56, 56, 3), np.uint8)
    assert np.ptp(np.asarray(map_picture(image, attention, kind)).astype(int), axis=(0, 1)).max() > 100, "the word"


def test_the_same_value_has_the_same_color_in_every_image():
    image = np.full((8, 8, 3), 128, np.uint8)
    weak, strong = (overlay(image, np.array([[0.5] * 6 + [high] * 6]).repeat(2, 0), GATE) for high in (0.55, 0.95))
    np.testing.assert_array_equal(weak[:, 1], strong[:, 1])
    assert not is_flat(np.array([[0.4, 0.5]]), GATE)


def test_the_upper_end_of_the_scale_is_the_brightest():
    attention = np.zeros((4, 4), np.float32)
    attention[3, 0] = 1
    drawn = overlay(np.full((64, 64, 3), 128, np.uint8), attention)
    assert (drawn.shape, drawn.dtype) == ((64, 64, 3), np.uint8)
    assert np.unravel_index(drawn.sum(-1).argmax(), (64, 64))[0] > 48
    assert drawn[60, 3].sum() > drawn[3, 60].sum() + 200


def test_channels_of_most_and_least_attention():
    values = np.array([0.1, 0.9, 0.5, 0.9, 0.2])
    assert end_channels(values, 2) == ([1, 3], [4, 0])
    assert end_channels(values[:1], 2) == ([], [])
    bars = channel_picture(np.zeros((60, 80, 3), np.uint8), values, GATE)
    features = np.random.default_rng(0).random((3, 4, 4))
    more = channel_picture(np.zeros((60, 80, 3), np.uint8), values, GATE, features, [1, 3, 4, 0], 2.0)
    assert more.width == bars.width
    assert more.height > bars.height + 60
    flat = channel_picture(np.zeros((60, 80, 3), np.uint8), np.full(5, 0.5), GATE, features, [1, 3, 4, 0], 2.0)
    assert flat.height == bars.height, "of channels that are all alike none is the most attended"


def test_channels_on_the_page(folder):
    np.save(folder / "0.npy", np.linspace(0, 1, 9))
    np.save(folder / "1.npy", np.ones([3, 4, 2]))
    entry = {"name": "attention/se", "file": "0.npy", "kind": "gate"}
    write(folder, [{"image": "a.jpg", "title": "t", "maps": [
        entry, {**entry, "features": "1.npy", "channels": [8, 0], "largest": 1.0}]}])
    html = attention_overlays(folder)
    assert html.count('<figure class="wide">') == 2
    assert "attention/se: 9 channels, 0 to 1 (scale: 0 to 1)" in html
    for channels in ([8], [8, 9]):
        write(folder, [{"image": "a.jpg", "title": "t", "maps": [
            {**entry, "features": "1.npy", "channels": channels, "largest": 1.0}]}])
        with pytest.raises(UserError, match=f"feature maps of the {len(channels)} channels"):
            attention_overlays(folder)


def test_an_older_list_names_the_norm_attention_no_more(folder):
    write(folder, [{"image": "a.jpg", "title": "t", "maps": [{"name": "feature_map", "file": "0.npy"}]}])
    assert "feature norm: 0 to 11 (scale: 0 to the largest)" in attention_overlays(folder)


@pytest.mark.parametrize("bad", [np.zeros((2, 2, 2)), np.zeros((0, 3)), np.full((2, 2), np.nan), np.array([["a"]]),
                                 np.array([[None]], object)])
def test_a_map_that_is_none(folder, bad):
    np.save(folder / "0.npy", bad)
    with pytest.raises(UserError, match="attention map"):
        attention_overlays(folder)


@pytest.mark.parametrize("entries", [{"image": 1}, [1], [{"title": "t"}],
                                     [{"image": "a.jpg", "title": "t",
                                       "maps": [{"name": "x", "file": "0.npy", "kind": "y"}]}],
                                     [{"image": None, "title": "t", "maps": []}]])
def test_a_list_that_is_none(folder, entries):
    write(folder, entries)
    with pytest.raises(UserError, match=r"overlays\.json"):
        attention_overlays(folder)


@pytest.mark.parametrize("missing", ["a.jpg", "0.npy", "overlays.json"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(UserError, match=missing):
        attention_overlays(folder)
