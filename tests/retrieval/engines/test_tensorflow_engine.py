"""TensorFlow as an engine."""

import numpy as np

from landmark_zoo.retrieval.engines.tensorflow_engine import TensorflowEngine


def test_embeddings_of_length_one(small_model, images):
    found = TensorflowEngine(small_model).embed_images(images)
    assert found.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
