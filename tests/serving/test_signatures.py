"""The signatures, called as a stranger would."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.l2_normalise import l2_normalise
from landmark_zoo.models import create_model
from landmark_zoo.serving.signatures import Signatures, local_features


def test_bytes_of_many_kinds_equal_the_model(exported, pictures, expected):
    loaded = tf.saved_model.load(str(exported))
    embedding = loaded.signatures["serving_default"](image_bytes=tf.constant(pictures))["embedding"]
    np.testing.assert_allclose(embedding, expected, atol=1e-5)


def test_images_signature(model, exported):
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 64, 3)).astype(np.float32)
    loaded = tf.saved_model.load(str(exported))
    np.testing.assert_allclose(loaded.signatures["images"](images=tf.constant(images))["embedding"],
                               model(images)["embedding"], atol=1e-5)


def test_info(exported):
    loaded = tf.saved_model.load(str(exported))
    info = loaded.signatures["info"]()
    assert info["name"].numpy() == b"small"
    assert info["dimension"].numpy() == 16
    assert info["git_commit"].numpy() == b"abc"
    assert {"scales", "preprocessing", "side"} <= set(info)


def test_an_empty_batch_gives_no_rows(exported):
    loaded = tf.saved_model.load(str(exported))
    assert loaded.signatures["serving_default"](image_bytes=tf.constant([], tf.string))["embedding"].shape == (0, 16)


@pytest.mark.parametrize("kind", ["empty", "words", "half a JPEG", "the head of a PNG"])
def test_bad_bytes_are_named_by_position(exported, pictures, kind):
    bad = {"empty": b"", "words": b"no picture", "half a JPEG": pictures[0][:len(pictures[0]) // 2],
           "the head of a PNG": pictures[2][:60]}[kind]
    loaded = tf.saved_model.load(str(exported))
    batch = [pictures[0]] * 7 + [bad] + [pictures[0]] * 8
    with pytest.raises(tf.errors.InvalidArgumentError, match="position 7"):
        loaded.signatures["serving_default"](image_bytes=tf.constant(batch))


def test_local_features_have_length_one_and_scores(model, exported):
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3)).astype(np.float32)
    loaded = tf.saved_model.load(str(exported))
    found = loaded.signatures["local"](images=tf.constant(images))
    feature_map = model(images)["feature_map"].numpy()
    assert found["features"].shape == (2, 2, 3, 256)
    np.testing.assert_allclose(found["scores"], np.linalg.norm(feature_map, axis=-1), rtol=1e-4)
    np.testing.assert_allclose(found["features"], l2_normalise(feature_map), atol=1e-4)


@pytest.mark.parametrize("score", ["attention/score", "attention/how"])
def test_a_model_trained_for_local_features_gives_its_own(score):
    outputs = {"feature_map": tf.ones([1, 2, 2, 4]), "local_features": tf.fill([1, 3, 3, 8], 2.0),
               score: tf.reshape(tf.range(9.0), [1, 3, 3, 1])}
    found = local_features(outputs)
    np.testing.assert_allclose(found["features"], np.full([1, 3, 3, 8], 8 ** -0.5), rtol=1e-5)
    np.testing.assert_array_equal(found["scores"][0], np.arange(9.0).reshape(3, 3))


def test_how_exports_its_local_features():
    model = create_model("mobilenet_how", alpha=0.25, embedding_dim=16)
    functions = Signatures(model, 64, {"name": "how"}).functions()
    found = functions["local"](tf.random.uniform([1, 64, 96, 3], maxval=255.0, seed=0))
    assert found["features"].shape == (1, 2, 3, 16)
    assert float(tf.reduce_max(found["scores"])) == pytest.approx(1)


def test_a_model_without_a_map_has_no_local_signature():
    images = tf.keras.Input([None, None, 3])
    model = tf.keras.Model(images, {"embedding": tf.keras.layers.GlobalAveragePooling2D()(images)})
    assert set(Signatures(model, 64, {"name": "means"}).functions()) == {"serving_default", "images", "info"}
