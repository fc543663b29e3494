import numpy as np
import pytest

from experiments.reranking.named_rerankers import TITLES, named_rerankers
from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.reranker import Reranker


class Model:
    """Local features that are the photograph's pixels, halved twice."""

    fingerprint = "f"

    def check_local(self):
        """Passes."""

    def local(self, images):
        cells = np.asarray(images)[:, ::4, ::4]
        return (cells / np.maximum(np.linalg.norm(cells, axis=-1, keepdims=True), 1e-6)).astype(np.float32), cells[..., 0]


def read(image_id):
    return np.random.default_rng(int(image_id)).integers(0, 256, (160, 160, 3), np.uint8)


def test_every_name_makes_a_reranker_that_finds_the_same_photograph():
    photographs = [str(number) for number in range(6)]
    rerankers = named_rerankers(list(TITLES), Model(), read, photographs, budget_ms=60_000)
    assert list(rerankers) == list(TITLES)
    for name, reranker in rerankers.items():
        assert isinstance(reranker, Reranker)
        assert reranker.budget_ms == 60_000
        assert reranker.rerank(read("3"), ["1", "3"], read).ids[0] == "3", name


@pytest.mark.parametrize("names", [["sift", "delta"], []])
def test_unknown_or_none(names):
    with pytest.raises(UserError, match="re-rankers of sift, local"):
        named_rerankers(names, Model(), read, [])
