"""The three signatures, called as a stranger would."""

import numpy as np
import pytest
import tensorflow as tf


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
