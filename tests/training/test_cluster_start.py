"""NetVLAD started from photographs."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.cluster import KMeans

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import build_model, create_model
from landmark_zoo.training.cluster_start import cluster_start


@pytest.fixture(scope="module")
def batches():
    images = np.random.default_rng(0).integers(0, 256, (8, 96, 96, 3)).astype(np.uint8)
    return [(tf.constant(images[i:i + 4]), tf.constant([0, 1, 2, 3])) for i in range(0, 8, 4)]


def built(pooling="netvlad", clusters=4):
    tf.keras.utils.set_random_seed(0)
    return build_model("resnet18", pooling=pooling, alpha=0.25, embedding_dim=None, pooling_arguments={"clusters": clusters})


@pytest.mark.parametrize("pooling", ["netvlad", "netvlad_crn"])
def test_centres_are_those_of_k_means(pooling, batches):
    model = built(pooling)
    cluster_start(model, batches, seed=3)
    features = np.concatenate([model(images)["feature_map"].numpy().reshape(-1, 128) for images, _ in batches])
    expected = KMeans(4, n_init=1, random_state=3).fit(features / np.linalg.norm(features, axis=1, keepdims=True))
    np.testing.assert_allclose(model.get_layer(pooling).centres, expected.cluster_centers_, atol=1e-5)
    assert np.isfinite(model(batches[0][0])["embedding"]).all()


def test_too_few_locations(batches):
    with pytest.raises(UserError, match=r"at least 500 unlike locations, .*; received 72\. Use more photographs"):
        cluster_start(built(clusters=500), batches)
    alike = [(tf.zeros([4, 32, 32, 3]), tf.zeros(4, tf.int32))]
    with pytest.raises(UserError, match="received 1"):
        cluster_start(built(), alike)


def test_a_model_without_netvlad(batches):
    with pytest.raises(UserError, match="pools with NetVLAD; received mobilenet_gem"):
        cluster_start(create_model("mobilenet_gem", alpha=0.25), batches)
