import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.image_ops import resize
from landmark_zoo.data.protocol import Protocol, Scales
from landmark_zoo.data.resampling import resample
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.whitening import LearnedWhitening, PCAWhitening
from landmark_zoo.serving.embedders import MultiScale, Whitened, WhiteningMap, Wrapper, embedder_of
from landmark_zoo.serving.network import Embedder, Network


@pytest.mark.parametrize("unit", [True, False])
def test_is_the_normalized_mean_over_the_scales(little_model, batch, unit):
    scales = Scales((0.75, 1.0, 1.5), unit)
    single = Network(little_model, 64, unit)
    parts = [single(resize(batch, *size)) for size in ((36, 48), (48, 64), (72, 96))]
    mean = sum(part.numpy() for part in parts)
    several = MultiScale(single, scales)
    np.testing.assert_allclose(several(batch), mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(tf.function(several)(batch), several(batch), atol=1e-6)


def test_other_scales_and_the_maximum(little_model, batch):
    scales = Scales((0.75, 1.0), pooling="maximum", resize="linear", rounding="floor")
    single = Network(little_model, Protocol(64, enlarge=False, scales=scales))
    parts = [single(resample(batch, 36, 48, "linear")), single(batch)]
    expected = np.maximum(*(part.numpy() for part in parts))
    several = embedder_of(little_model, Protocol(64, enlarge=False, scales=scales))
    np.testing.assert_allclose(several(batch), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)
    assert several.facts["aggregation"].startswith("maximum of embeddings of length 1, L2; scales without antialiasing")
    assert Protocol.from_constants(several.facts) == several.protocol == Protocol(64, enlarge=False, scales=scales)
    assert Protocol.from_constants(single.facts).scales == Scales()


@pytest.mark.parametrize("factors", [(1.0,), (0.75, 1.0)])
def test_without_l2_before_the_whitening(little_model, batch, factors):
    """The whitening gets the mean of what the scales give, of whatever length."""
    protocol = Protocol(64, scales=Scales(factors, unit=False), whitening_l2=False)
    whitening = WhiteningMap(np.full(6, 0.1, np.float32), np.eye(6, 4, dtype=np.float32), "PCA", "x")
    inner = embedder_of(little_model, protocol)
    raw = Network(little_model, 64, unit=False)
    mean = np.mean([raw(batch), *([raw(resize(batch, 36, 48))] if len(factors) == 2 else [])], axis=0)
    assert np.abs(np.linalg.norm(inner(batch), axis=1) - 1).max() > 0.01
    np.testing.assert_allclose(inner(batch), mean, atol=1e-5)
    expected = (mean - 0.1)[:, :4]
    whitened = Whitened(inner, whitening)
    np.testing.assert_allclose(whitened(batch), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)
    assert "left out before the whitening: L2" in whitened.facts["aggregation"]


def test_facts_and_work(little_model):
    single = Network(little_model, 64)
    several = MultiScale(single, Scales((0.5, 1.0), power=3.0))
    assert several.facts["scales"] == [0.5, 1.0]
    assert several.facts["aggregation"] == "generalised mean, p 3, of embeddings of length 1, L2"
    assert several.multiply_accumulates(96, 128) == (
        single.multiply_accumulates(48, 64) + single.multiply_accumulates(96, 128))
    assert several.parameters == single.parameters
    assert several.has_local


def embeddings(count, dimension, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return EmbeddingSet([str(number) for number in range(count)], vectors, "model")


@pytest.mark.parametrize("kind", ["pca", "power", "learnt"])
def test_equals_the_whitening_outside(little_model, batch, kind):
    train = embeddings(60, 6)
    pairs = [(str(number), str(number + 1)) for number in range(0, 60, 2)]
    whitening = {"pca": lambda: PCAWhitening(4, 0.5).fit(train), "power": lambda: PCAWhitening(4, 0.25).fit(train),
                 "learnt": lambda: LearnedWhitening(4).fit(train, pairs)}[kind]()
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


class Means(Embedder):
    """The mean colour."""

    side, dimension = 64, 3

    def __init__(self):
        super().__init__(name="means")
        self.scale = tf.Variable([1.0, 1.0, 1.0])

    @property
    def facts(self):
        return {"dimension": 3}

    def __call__(self, images):
        return tf.reduce_mean(images, axis=[1, 2]) * self.scale

    def multiply_accumulates(self, height, width):
        return 3


class LocalMeans(Means):
    """With the picture itself as its feature map."""

    has_local = True

    def local(self, images):
        return {"features": images, "scores": images[..., 0]}


class Backwards(Wrapper):
    """The other embedder's numbers in reverse."""

    @property
    def facts(self):
        return self.inner.facts

    def __call__(self, images):
        return self.inner(images)[:, ::-1]

    def multiply_accumulates(self, height, width):
        return self.inner.multiply_accumulates(height, width)


IMAGES = tf.constant(np.random.default_rng(0).uniform(0, 255, [2, 4, 5, 3]), tf.float32)


def test_local_features_stay():
    wrapper = Backwards(LocalMeans(), 3, "backwards")
    assert wrapper.has_local
    np.testing.assert_array_equal(wrapper.local(IMAGES)["features"], IMAGES)
    np.testing.assert_allclose(wrapper(IMAGES)[:, 0], tf.reduce_mean(IMAGES[..., 2], axis=[1, 2]), rtol=1e-6)
    assert (wrapper.side, wrapper.dimension, wrapper.name, wrapper.parameters) == (64, 3, "backwards", 3)


def test_without_local_features():
    wrapper = Backwards(Means(), 3, "backwards")
    assert not wrapper.has_local
    with pytest.raises(ValueError, match="Expected an embedder with a feature map; received Means"):
        wrapper.local(IMAGES)
    assert not wrapper.has_attention
    with pytest.raises(ValueError, match="Expected an embedder with attention maps; received Means"):
        wrapper.attention(IMAGES)


@pytest.mark.parametrize("scales", [None, Scales(), Scales((1.0,), unit=False)])
def test_one_scale_is_the_network(little_model, scales):
    assert embedder_of(little_model, 64, scales).facts["aggregation"] == "none"


def test_several_scales(little_model):
    facts = embedder_of(little_model, 64, Scales((1.0, 2.0), unit=False)).facts
    assert facts["aggregation"] == "mean of embeddings before their L2 normalisation, L2"
