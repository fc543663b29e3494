import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.image_ops import resize
from landmark_zoo.data.protocol import Protocol, Scales
from landmark_zoo.data.resampling import resample
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.models import create_model
from landmark_zoo.models.inspection import maps_of_images, weights_fingerprint
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.whitening import LearnedWhitening, PCAWhitening
from landmark_zoo.serving.embedders import (
    Embedder,
    MultiScale,
    Network,
    Whitened,
    WhiteningMap,
    Wrapper,
    embedder_of,
    local_features,
)
from landmark_zoo.serving.fold_batch_norm import fold_batch_norm


def test_one_that_says_nothing_of_itself_cannot_be_made():
    class Silent(Embedder):
        def __call__(self, images):
            return images
    with pytest.raises(TypeError, match="facts"):
        Silent()


def test_gives_the_models_embedding_without_its_head(little_model, batch):
    network = Network(little_model, 64)
    np.testing.assert_allclose(network(batch), little_model(batch)["embedding"], atol=1e-6)
    head = little_model.get_layer("head").count_params()
    assert network.parameters == little_model.count_params() - head
    assert (network.side, network.dimension, network.facts["dimension"]) == (64, 6, 6)


def test_fingerprint_of_the_weights(make_little):
    same = [Network(make_little(seed=1), side).weights_sha256 for side in (64, 96)]
    assert same[0] == same[1] != Network(make_little(seed=2), 64).weights_sha256


@pytest.mark.parametrize(("shift", "left"), [(0.0, 0), (0.5, 1)])
def test_batch_norm_is_folded_where_that_keeps_the_embedding(batch, monkeypatch, caplog, shift, left):
    """A folding that goes wrong, here by a shift of all weights, is noticed, and the model kept as it was."""
    def wrongly(model):
        folded = fold_batch_norm(model)
        folded.set_weights([weight + shift for weight in folded.get_weights()])
        return folded
    monkeypatch.setattr("landmark_zoo.serving.fold_batch_norm.fold_batch_norm", wrongly)
    images = tf.keras.Input([None, None, 3])
    features = tf.keras.layers.BatchNormalization(name="bn")(tf.keras.layers.Conv2D(4, 8, 8)(images))
    model = tf.keras.Model(images, {"embedding": L2Normalize()(tf.keras.layers.GlobalMaxPooling2D()(features))})
    model.get_layer("bn").set_weights(list(np.random.default_rng(0).uniform(0.5, 2, (4, 4))))
    network = Network(model, 64, fold=True)
    np.testing.assert_allclose(network(batch), model(batch)["embedding"], atol=1e-5)
    assert sum("moving_mean" in variable.name for variable in network.weights) == left
    assert ("BatchNorm is not folded" in caplog.text) == bool(left)


def test_before_the_last_normalisation(little_model, batch):
    raw = Network(little_model, 64, unit=False)(batch).numpy()
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    assert np.abs(lengths - 1).max() > 0.01
    np.testing.assert_allclose(raw / lengths, little_model(batch)["embedding"], atol=1e-6)


def test_a_strangers_model_has_no_embedding_before_its_normalisation():
    images = tf.keras.Input([None, None, 3])
    model = tf.keras.Model(images, {"embedding": tf.keras.layers.GlobalAveragePooling2D()(images)})
    assert not Network(model, 64).has_local
    with pytest.raises(UserError, match="Leave --noscale_l2 out"):
        Network(model, 64, unit=False)


def test_a_side_too_small(little_model):
    with pytest.raises(UserError, match="a side of 32 pixels or more; received 16"):
        Network(little_model, 16)


def test_multiply_accumulates(little_model):
    assert Network(little_model, 64).multiply_accumulates(48, 64) == 48 * 64 * 3 * 8 + 8 * 6


def test_maps_are_those_of_the_model_and_the_fingerprint_is_not_moved(attentive_model, batch):
    expected, kept = maps_of_images(attentive_model, batch.numpy()), ("embedding", "feature_map")
    plain = tf.keras.Model(attentive_model.input, {name: attentive_model.output[name] for name in kept})
    network = Network(attentive_model, 64)
    whitening = WhiteningMap(np.zeros(6, np.float32), np.eye(6, 4, dtype=np.float32), "PCA", "x")
    for embedder in (network, MultiScale(network, Scales((0.5, 1.0))), Whitened(network, whitening),
                     embedder_of(attentive_model, 64, Scales((0.5, 1.0), unit=False), fold=True)):
        assert embedder.has_attention
        assert embedder.facts["attention_maps"] == list(expected) == [
            "attention/channel", "attention/spatial", "class_activation", "feature_norm"]
        assert embedder.facts["attention_kinds"] == ["gate", "gate", "norm", "norm"]
        for name, values in embedder.attention(batch).items():
            np.testing.assert_allclose(values, expected[name], atol=1e-5)
        assert embedder.facts["weights_sha256"] == weights_fingerprint(plain)
        assert embedder.parameters == plain.count_params() + (6 + 6 * 4 if isinstance(embedder, Whitened) else 0)
    assert [weight.shape for weight in network.classifier_weights] == [(50, 6)]


def test_class_activation_left_out(attentive_model, little_model, batch):
    network = Network(attentive_model, 64, class_activation=False)
    assert set(network.attention(batch)) == {"attention/channel", "attention/spatial", "feature_norm"}
    assert not network.classifier_weights
    assert network.facts["attention_kinds"] == ["gate", "gate", "norm"]
    with pytest.raises(UserError, match="a model whose classifier stands on its pooled feature map"):
        embedder_of(little_model, 64, class_activation=True)


@pytest.mark.parametrize(("score", "length"), [("attention/score", 1), ("attention/how", 2 * 8 ** 0.5)])
def test_a_model_trained_for_local_features_gives_its_own(score, length):
    outputs = {"feature_map": tf.ones([1, 2, 2, 4]), "local_features": tf.fill([1, 3, 3, 8], 2.0),
               score: tf.reshape(tf.range(9.0), [1, 3, 3, 1])}
    found = local_features(outputs)
    np.testing.assert_allclose(found["features"], np.full([1, 3, 3, 8], length * 8 ** -0.5), rtol=1e-5)
    np.testing.assert_array_equal(found["scores"][0], np.arange(9.0).reshape(3, 3))


@pytest.mark.parametrize(("name", "unit"), [("resnet18_how", False), ("resnet18_how_block", True)])
def test_how_gives_lengths_that_can_be_compared_over_scales(name, unit):
    model = create_model(name, alpha=0.25, embedding_dim=16)
    network = Network(model, 64)
    backbone = model.get_layer("resnet18")
    for size in ((64, 96), (32, 64)):
        image = tf.random.uniform([1, *size, 3], maxval=255.0, seed=0)
        found = network.local(image)
        before = backbone(model.get_layer("preprocessing")(image))["C5"].numpy()
        np.testing.assert_allclose(found["scores"], np.sqrt((before**2).sum(axis=-1)), rtol=1e-3)
    assert found["features"].shape == ((1, 1, 2, 128) if unit else (1, 1, 2, 16))
    lengths = np.linalg.norm(found["features"], axis=-1)
    assert np.allclose(lengths, 1, atol=1e-5) == unit
    facts = network.facts
    assert (facts["local_unit"], facts["local_stride"], facts["local_offset"]) == (unit, 32, 16.0)


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
