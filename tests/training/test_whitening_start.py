"""HOW's reduction fitted to photographs."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import create_model
from landmark_zoo.training.whitening_start import whitening_start


@pytest.fixture(scope="module")
def batches():
    images = np.random.default_rng(0).integers(0, 256, (12, 64, 64, 3)).astype(np.uint8)
    return [(tf.constant(images[i:i + 4]), tf.constant([0, 1, 2, 3])) for i in range(0, 12, 4)]


def built(**arguments):
    tf.keras.utils.set_random_seed(0)
    return create_model("resnet18_how", alpha=0.25, **arguments)


def test_reduced_features_are_white(batches):
    model = built(embedding_dim=6)
    whitening_start(model, batches)
    reduced = tf.keras.Model(model.input, model.get_layer("whitening").output)
    vectors = np.concatenate([reduced(images).numpy().reshape(-1, 6) for images, _ in batches])
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(vectors, rowvar=False, bias=True), np.eye(6), atol=1e-2)


def test_a_sample_of_the_locations_is_enough(batches):
    model = built(embedding_dim=6)
    before = model(batches[0][0])["embedding"].numpy()
    whitening_start(model, batches, num_vectors=20)
    assert not np.allclose(model(batches[0][0])["embedding"], before)


def test_too_few_photographs(batches):
    model = built(embedding_dim=100)
    before = model.get_layer("whitening").get_weights()
    with pytest.raises(UserError, match=r"span 100 directions, .* resnet18_how; received 48 .* Use more photographs"):
        whitening_start(model, batches)
    np.testing.assert_array_equal(before[0], model.get_layer("whitening").get_weights()[0])
    with pytest.raises(UserError, match="received 0 locations"):
        whitening_start(model, [])


def test_a_model_without_reduction(batches):
    with pytest.raises(UserError, match="local features are reduced; received resnet18_how"):
        whitening_start(built(embedding_dim=0), batches)
