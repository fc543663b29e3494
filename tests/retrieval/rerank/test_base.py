import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.retrieval.rerank.base import Reranked, Reranker, image_reader


class Brightness(Reranker):
    """Compares mean brightness; descriptions are floats."""

    seconds = 0.0

    def describe(self, image):
        return float(image.mean())

    def compare(self, query, candidate):
        time.sleep(self.seconds)
        return -abs(query - candidate), None


def gray(level):
    return np.full((32, 32, 3), level, np.uint8)


IMAGES = {"a": gray(10), "b": gray(100), "c": gray(98), "d": gray(102)}


def test_the_best_come_first_and_equal_ones_keep_their_order():
    done = Brightness().rerank(gray(100), ["a", "d", "c", "b"], IMAGES.__getitem__)
    assert done.ids == ["b", "d", "c", "a"]
    assert done.scores.tolist() == [0, -2, -2, -90]
    assert done.geometry == [None] * 4
    assert done.compared == 4
    assert done.scores_of(["a", "b"]).tolist() == [-90, 0]


def test_descriptions_that_were_kept_give_the_same():
    reranker = Brightness()
    kept = {name: reranker.describe(image) for name, image in IMAGES.items()}
    first = reranker.rerank(gray(99), list("abcd"), IMAGES.__getitem__)
    second = reranker.rerank(reranker.describe_query(gray(99)), list("abcd"), kept.__getitem__)
    assert first.ids == second.ids
    assert first.scores.tolist() == second.scores.tolist()


def test_what_the_budget_does_not_reach_keeps_its_order():
    reranker = Brightness(budget_ms=400)
    reranker.seconds = 0.25
    done = reranker.rerank(gray(100), ["a", "b", "d", "c"], IMAGES.__getitem__)
    assert done.compared == 2
    assert done.ids == ["b", "a", "d", "c"]
    assert np.isnan(done.scores[2:]).all()


def test_bad_images_are_named_and_come_last():
    def fetch(name):
        if name == "a":
            raise InvalidImageError("empty file")
        return IMAGES[name]
    done = Brightness().rerank(gray(100), ["a", "c", "b"], fetch)
    assert done.ids == ["b", "c", "a"]
    assert done.skipped == {"a": "empty file"}


def test_no_candidates():
    done = Brightness().rerank(gray(1), [], IMAGES.__getitem__)
    assert done.ids == []
    assert done.scores.shape == (0,)


@pytest.mark.parametrize("query", [gray(1)[..., 0], gray(1).astype(np.float32), np.zeros((4, 4, 4), np.uint8)])
def test_an_array_that_is_no_image(query):
    with pytest.raises(ValueError, match=r"photograph uint8 \[H, W, 3\]; received"):
        Brightness().rerank(query, ["a"], IMAGES.__getitem__)


def test_other_mistakes():
    with pytest.raises(ValueError, match="every candidate once"):
        Brightness().rerank(gray(1), ["a", "a"], IMAGES.__getitem__)
    with pytest.raises(ValueError, match="above 0 ms"):
        Brightness(budget_ms=0)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=20), st.integers(0, 255))
def test_the_order_is_a_stable_sort(levels, query):
    kept = {str(number): float(level) for number, level in enumerate(levels)}
    done = Brightness().rerank(float(query), list(kept), kept.__getitem__)
    assert done.ids == sorted(kept, key=lambda name: abs(kept[name] - query))


def test_scores_in_another_order():
    done = Reranked(["b", "a"], np.array([2.0, np.nan]), [None, None])
    assert done.compared == 1
    np.testing.assert_array_equal(done.scores_of(["a", "b"]), [np.nan, 2.0])
    with pytest.raises(KeyError):
        done.scores_of(["c"])


@pytest.fixture
def read(tmp_path):
    Image.new("RGB", (200, 100), "red").save(tmp_path / "large.jpg")
    Image.new("L", (40, 60), 128).save(tmp_path / "grey.png")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (40, 40)).save(tmp_path / folder / "twice.jpg")
    return image_reader(ImageLocator(tmp_path), 80)


def test_pixels(read):
    assert read("large").shape == (40, 80, 3)
    assert read("grey").shape == (60, 40, 3)
    assert read("grey").dtype == np.uint8
    np.testing.assert_allclose(read("large")[20, 40], [255, 0, 0], atol=5)


@pytest.mark.parametrize(("name", "reason"), [("absent", "no such file"), ("bad", "not an image")])
def test_bad_images(read, name, reason):
    with pytest.raises(InvalidImageError, match=reason):
        read(name)


def test_two_files_of_one_name(read):
    with pytest.raises(UserError, match="several"):
        read("twice")
