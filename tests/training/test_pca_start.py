"""Embedding and head started from features."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.decomposition import PCA

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import build_model
from landmark_zoo.training.pca_start import pca_start


@pytest.fixture
def batches():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 32, 32, 3)).astype(np.uint8)
    return [(tf.constant(images[i:i + 20]), tf.constant([0, 1, 2, 3] * 5)) for i in range(0, 60, 20)]


def built(embedding_dim=6):
    tf.keras.utils.set_random_seed(0)
    model = build_model("mobilenet", alpha=0.25, embedding_dim=embedding_dim, num_classes=5)
    for variable in model.get_layer("mobilenet").trainable_variables:  # untrained activations would fade to nothing
        if "kernel" in variable.name:
            variable.assign(2.5 * variable)
    return model


def test_embedding_is_the_whitened_pca_and_the_head_its_class_means(batches):
    model = built()
    head = model.get_layer("arcface")
    unused = head.kernel.numpy()[4]
    pooled = tf.keras.Model(model.input, model.get_layer("gem").output)
    features = np.concatenate([pooled(images).numpy() for images, _ in batches]).astype(np.float64)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    pca = PCA(6).fit(features)
    expected = pca.transform(features) / pca.explained_variance_**0.25
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    kept = pca_start(model, head, batches, power=0.25)
    np.testing.assert_allclose(kept, pca.explained_variance_ratio_.sum(), rtol=1e-4)
    embeddings = np.concatenate([model(images)["embedding"].numpy() for images, _ in batches])
    np.testing.assert_allclose(np.abs(embeddings), np.abs(expected), atol=5e-3)
    means = np.stack([embeddings[np.arange(60) % 4 == label].sum(0) for label in range(4)])
    np.testing.assert_allclose(head.kernel.numpy()[:4], means / np.linalg.norm(means, axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_array_equal(head.kernel.numpy()[4], unused)


def test_no_embedding_layer(batches):
    model = built(embedding_dim=None)
    with pytest.raises(UserError, match="an embedding layer"):
        pca_start(model, model.get_layer("arcface"), batches)
