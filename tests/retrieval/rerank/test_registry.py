import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.retrieval.rerank.base import Reranker
from landmark_zoo.retrieval.rerank.registry import TITLES, named_rerankers, thesis_rerankers


class Model:
    """Local features that are the pixels of squares of 8 x 8: [B, H / 8, W / 8, 192], of length 1."""

    fingerprint = "f"
    info = {}  # noqa: RUF012
    finds_points = False

    def check_local(self):
        """Passes."""

    def local(self, images):
        images = np.asarray(images, np.float32) - 127.5
        batch, height, width, _ = images.shape
        cells = images[:, : height // 8 * 8, : width // 8 * 8].reshape(batch, height // 8, 8, width // 8, 8, 3)
        cells = cells.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // 8, width // 8, 192)
        lengths = np.linalg.norm(cells, axis=-1, keepdims=True)
        return cells / np.maximum(lengths, 1e-6), lengths[..., 0]


def read(image_id):
    return np.random.default_rng(int(image_id)).integers(0, 256, (160, 160, 3), np.uint8)


@pytest.mark.slow
def test_every_name_makes_a_reranker_that_finds_the_same_image():
    images = [str(number) for number in range(6)]
    rerankers = named_rerankers(list(TITLES), Model(), read, images, budget_ms=60_000, asmk_words=256)
    assert list(rerankers) == list(TITLES)
    for name, reranker in rerankers.items():
        assert isinstance(reranker, Reranker)
        assert reranker.budget_ms == 60_000
        assert reranker.rerank(read("3"), ["1", "3"], read).ids[0] == "3", name


@pytest.mark.parametrize("names", [["sift", "delta"], []])
def test_unknown_or_none(names):
    with pytest.raises(UserError, match="re-rankers of sift, local"):
        named_rerankers(names, Model(), read, [])


class ModelOfThesis:
    """One that has local features."""

    finds_points = False

    def check_local(self):
        """Passes."""


def read_page(image_id):
    if image_id == "bad":
        raise InvalidImageError("empty file")
    return np.random.default_rng(int(image_id)).integers(0, 256, (160, 160, 3), np.uint8)


def test_three_rerankers_and_a_codebook_that_passes_over_bad_images():
    rerankers = thesis_rerankers(ModelOfThesis(), read_page, ["1", "bad", "2"])
    assert list(rerankers) == ["E5", "E6", "E7"]
    assert rerankers["E6"].describe(read_page("3")).shape == (16 * 128,)


def test_no_image_for_the_codebook():
    with pytest.raises(UserError, match="usable photographs for a codebook; received none of 1"):
        thesis_rerankers(ModelOfThesis(), read_page, ["bad"])
