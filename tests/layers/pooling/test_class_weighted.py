"""Class-weighted vectors against loops."""

import numpy as np
import pytest

from landmark_zoo.layers.attention.crow import crow_channel_weights
from landmark_zoo.layers.pooling import ClassWeighted
from landmark_zoo.layers.pooling.class_weighted import class_vectors
from tests.contracts.layer import check_layer


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 8)), 0).astype(np.float32)


def with_classifier(num_classes=20, top=6, **arguments):
    random = np.random.default_rng(1)
    layer = ClassWeighted(num_classes, top, **arguments)
    layer.build([None, None, None, 8])
    layer.set_classifier(random.standard_normal((8, num_classes)), random.standard_normal(num_classes))
    return layer


def by_loops(features, kernel, bias, top):
    vectors = []
    for image in features:
        height, width, channels = image.shape
        share = [np.count_nonzero(image[..., k]) / (height * width) for k in range(channels)]
        rarity = [np.log(sum(share) / s) if s else 0 for s in share]
        logits = image.mean(axis=(0, 1)) @ kernel + bias
        total = 0
        for c in np.argsort(logits)[::-1][:top]:
            cam = np.array([[x @ kernel[:, c] for x in row] for row in image])
            cam = (cam - cam.min()) / (cam.max() - cam.min())
            vector = np.array([rarity[k] * (image[..., k] * cam).sum() for k in range(channels)])
            total = total + vector / np.linalg.norm(vector)
        vectors.append(total)
    return vectors


def test_equals_loops(features):
    features[0, ..., 3] = 0
    layer = with_classifier()
    kernel, bias = layer.classifier.get_weights()
    np.testing.assert_allclose(layer(features), by_loops(features, kernel, bias, 6), rtol=1e-4, atol=1e-5)


def test_class_seen_everywhere_leaves_the_channel_weights_of_crow(features):
    expected = np.squeeze(crow_channel_weights(features)) * features.sum(axis=(1, 2))
    np.testing.assert_allclose(class_vectors(features, np.ones((2, 7, 5, 3))), np.repeat(expected[:, None], 3, axis=1),
                               rtol=1e-5)


def test_each_class_counts_the_same(features):
    """A class that is seen in one location weighs as much as one that is seen everywhere."""
    layer = with_classifier(top=1)
    np.testing.assert_allclose(np.linalg.norm(layer(features), axis=1), 1, rtol=1e-5)
    assert (np.linalg.norm(with_classifier(top=6)(features), axis=1) > 3).all()


def test_whitens_each_class_vector(features):
    layer = with_classifier(whitening_dim=4)
    layer.fit([features, features[:, :5]])
    units = np.array(layer.vectors(features))
    units /= np.linalg.norm(units, axis=-1, keepdims=True)
    whitened = layer.whitening(units).numpy()
    whitened /= np.linalg.norm(whitened, axis=-1, keepdims=True)
    np.testing.assert_allclose(layer(features), whitened.sum(axis=1), rtol=1e-4, atol=1e-5)


def test_more_top_classes_than_classes():
    with pytest.raises(ValueError, match="received top=64, num_classes=10"):
        ClassWeighted(10)


@pytest.mark.parametrize("arguments", [{}, {"num_classes": 30, "top": 5, "whitening_dim": 4}])
def test_contract(arguments, features, tmp_path):
    check_layer(lambda **keras: ClassWeighted(**arguments, **keras), features, tmp_path)


def test_learns_nothing_itself():
    layer = ClassWeighted()
    layer.build([None, None, None, 2048])
    assert layer.trainable_weights == []
    assert layer.count_params() == 2048 * 1000 + 1000
