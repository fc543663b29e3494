"""The end of a classification network."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models.embed_and_classify import embed_and_classify

VECTORS = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)


def built(**arguments):
    vectors = tf.keras.Input([8])
    return tf.keras.Model(vectors, embed_and_classify(vectors, **arguments))


def test_without_embedding_layer_the_head_sees_the_vectors_themselves():
    model = built(num_classes=4)
    outputs, kernel = model(VECTORS), model.get_layer("softmax").kernel
    np.testing.assert_allclose(outputs["logits"], VECTORS @ kernel.numpy().T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs["embedding"], VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True), rtol=1e-5)


def test_with_an_embedding_layer_the_head_sees_the_embedding():
    model = built(num_classes=4, embedding_dim=5, head="arcface", head_arguments={"scale": 7.0})
    outputs = model(VECTORS)
    np.testing.assert_allclose(model.get_layer("arcface")(outputs["embedding"]), outputs["logits"], rtol=1e-5)
    assert outputs["embedding"].shape == (3, 5)
    assert np.abs(outputs["logits"]).max() <= 7


def test_no_classes_no_head():
    assert set(built(num_classes=None)(VECTORS)) == {"embedding"}


def test_unknown_head():
    with pytest.raises(UserError, match="known head"):
        built(num_classes=4, head="tail")
