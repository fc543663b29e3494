"""Whitening inside the graph."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.whitening.learnt_whitening import LearntWhitening
from landmark_zoo.retrieval.whitening.pca_whitening import PcaWhitening
from landmark_zoo.serving.embedders.network import Network
from landmark_zoo.serving.embedders.whitened import Whitened, WhiteningMap


def embeddings(count, dimension, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return EmbeddingSet([str(number) for number in range(count)], vectors, "model")


@pytest.mark.parametrize("kind", ["pca", "power", "learnt"])
def test_equals_the_whitening_outside(little_model, batch, kind):
    train = embeddings(60, 6)
    pairs = [(str(number), str(number + 1)) for number in range(0, 60, 2)]
    whitening = {"pca": lambda: PcaWhitening(4, 0.5).fit(train), "power": lambda: PcaWhitening(4, 0.25).fit(train),
                 "learnt": lambda: LearntWhitening(4).fit(train, pairs)}[kind]()
    network = Network(little_model, 64)
    inside = Whitened(network, WhiteningMap(whitening.mean, whitening.projection, whitening.description, "60 of them"))
    outside = whitening.transform(EmbeddingSet(["p", "q"], network(batch).numpy(), "model"))
    np.testing.assert_allclose(inside(batch), outside.vectors, atol=1e-5)
    assert (inside.dimension, inside.facts["dimension"]) == (4, 4)
    assert inside.facts["whitening"] == whitening.description
    assert inside.facts["whitening_learnt_on"] == "60 of them"
    assert inside.parameters == network.parameters + 6 + 6 * 4


def test_another_dimension(little_model):
    with pytest.raises(UserError, match="a whitening of 6 dimensions, as the embedding has; received one of 5"):
        Whitened(Network(little_model, 64), WhiteningMap(np.zeros(5, np.float32), np.eye(5, dtype=np.float32), "PCA", "x"))


def test_behind_another_whitening(little_model):
    one = WhiteningMap(np.zeros(6, np.float32), np.eye(6, 5, dtype=np.float32), "first", "x")
    two = WhiteningMap(np.zeros(5, np.float32), np.eye(5, 3, dtype=np.float32), "second", "y")
    assert Whitened(Whitened(Network(little_model, 64), one), two).facts["whitening"] == "first, then second"
