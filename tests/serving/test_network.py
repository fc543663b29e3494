import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import Scales
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.models import create_model
from landmark_zoo.models.inspection import maps_of_images, weights_fingerprint
from landmark_zoo.serving.embedders import MultiScale, Whitened, WhiteningMap, embedder_of
from landmark_zoo.serving.fold_batch_norm import fold_batch_norm
from landmark_zoo.serving.network import Embedder, Network, local_features


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
