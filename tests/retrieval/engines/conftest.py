"""A small model that every engine can run."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.retrieval.saved_model import EmbeddingModel


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """A SavedModel of one convolution, mean and norm."""
    random = np.random.default_rng(0)
    kernel = tf.constant(random.normal(size=[3, 3, 3, 8]).astype(np.float32))
    bytes_in = tf.TensorSpec([None], tf.string, name="image_bytes")
    images_in = tf.TensorSpec([None, None, None, 3], tf.float32, name="images")

    def embed(images):
        features = tf.nn.relu(tf.nn.conv2d(images / 255.0 - 0.5, kernel, 2, "SAME"))
        return {"embedding": tf.math.l2_normalize(tf.reduce_mean(features, [1, 2]), 1)}

    def embed_bytes(image_bytes):
        def one(encoded):
            return embed(tf.cast(tf.io.decode_jpeg(encoded, 3), tf.float32)[None])["embedding"][0]
        return {"embedding": tf.map_fn(one, image_bytes, tf.TensorSpec([8], tf.float32))}

    facts = {"name": tf.constant("small"), "dimension": tf.constant(8), "side": tf.constant(64)}
    signatures = {"serving_default": tf.function(embed_bytes, [bytes_in]), "images": tf.function(embed, [images_in]),
                  "info": tf.function(lambda: facts, [])}
    path = tmp_path_factory.mktemp("models") / "small" / "1"
    tf.saved_model.save(tf.Module(), str(path), signatures=signatures)
    return EmbeddingModel(path)


@pytest.fixture
def images():
    """Two pictures of one size."""
    return np.random.default_rng(1).uniform(0, 255, [2, 40, 64, 3]).astype(np.float32)
