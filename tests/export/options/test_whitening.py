"""Which whitening is asked for, and whether it fits."""

import numpy as np
import pytest

from export.options.whitening import WhiteningOptions
from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.whitening.pca_whitening import PcaWhitening

FACTS = {"weights_sha256": "abc", "side": 64, "scales": [1.0], "aggregation": "none"}


@pytest.fixture
def folder(tmp_path):
    """folder(facts) -> a PCA from 6 to 4 dimensions, learnt on embeddings of a model with these facts."""
    def save(facts):
        vectors = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        PcaWhitening(4).fit(EmbeddingSet([str(number) for number in range(40)], vectors, "f", {"model": facts})).save(
            tmp_path / "whitening")
        return str(tmp_path / "whitening")
    return save


def never(path):
    raise AssertionError("Nothing has to be written to read a whitening.")


def test_none_is_asked_for():
    assert WhiteningOptions().read_or_fit(never, FACTS) is None


def test_one_of_this_model(folder):
    found = WhiteningOptions(whitening=folder(FACTS)).read_or_fit(never, FACTS)
    assert (found.mean.shape, found.projection.shape) == ((6,), (6, 4))


@pytest.mark.parametrize(("key", "other"), [("weights_sha256", "abd"), ("side", 80), ("scales", [0.5, 1.0])])
def test_one_of_another_model_or_other_settings(folder, key, other):
    options = WhiteningOptions(whitening=folder({**FACTS, key: other}))
    with pytest.raises(UserError, match=f"learnt on embeddings with {key}"):
        options.read_or_fit(never, FACTS)


@pytest.mark.parametrize("flags", [{"whitening": "w", "pca": 4, "pca_images": "p"}, {"pca": 4}, {"pca_images": "p"}])
def test_flags_that_contradict_each_other(flags):
    with pytest.raises(UserError, match="--pca"):
        WhiteningOptions(**flags)
