"""A model as an embedder."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import create_model
from landmark_zoo.serving.embedders.network import Network, local_features


def test_gives_the_models_embedding_without_its_head(little_model, batch):
    network = Network(little_model, 64)
    np.testing.assert_allclose(network(batch), little_model(batch)["embedding"], atol=1e-6)
    head = little_model.get_layer("head").count_params()
    assert network.parameters == little_model.count_params() - head
    assert (network.side, network.dimension, network.facts["dimension"]) == (64, 6, 6)


def test_fingerprint_of_the_weights(make_little):
    same = [Network(make_little(seed=1), side).weights_sha256 for side in (64, 96)]
    assert same[0] == same[1] != Network(make_little(seed=2), 64).weights_sha256


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


@pytest.mark.parametrize("score", ["attention/score", "attention/how"])
def test_a_model_trained_for_local_features_gives_its_own(score):
    outputs = {"feature_map": tf.ones([1, 2, 2, 4]), "local_features": tf.fill([1, 3, 3, 8], 2.0),
               score: tf.reshape(tf.range(9.0), [1, 3, 3, 1])}
    found = local_features(outputs)
    np.testing.assert_allclose(found["features"], np.full([1, 3, 3, 8], 8 ** -0.5), rtol=1e-5)
    np.testing.assert_array_equal(found["scores"][0], np.arange(9.0).reshape(3, 3))


def test_how_gives_its_local_features():
    model = create_model("mobilenet_how", alpha=0.25, embedding_dim=16)
    found = Network(model, 64).local(tf.random.uniform([1, 64, 96, 3], maxval=255.0, seed=0))
    assert found["features"].shape == (1, 2, 3, 16)
    assert float(tf.reduce_max(found["scores"])) == pytest.approx(1)
