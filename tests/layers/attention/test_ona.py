"""Class-weighted attention against loops, and where its classes and maps come from."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.ona import OnlineAggregation, class_activation_maps, top_classes
from tests.contracts.layer import check_layer


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def with_classifier(features, num_classes=20, top=6, **arguments):
    random = np.random.default_rng(1)
    layer = OnlineAggregation(num_classes, top, **arguments)
    layer.build(features.shape)
    layer.set_classifier(random.standard_normal((features.shape[-1], num_classes)), random.standard_normal(num_classes))
    return layer


def by_loops(features, kernel, bias, top):
    attended = np.empty_like(features)
    for b, image in enumerate(features):
        logits = [image[..., :].mean(axis=(0, 1)) @ kernel[:, c] + bias[c] for c in range(len(bias))]
        average = 0
        for c in np.argsort(logits)[::-1][:top]:
            cam = np.array([[x @ kernel[:, c] for x in row] for row in image])
            average = average + (cam - cam.min()) / (cam.max() - cam.min()) / top
        attended[b] = average[..., None] * image
    return attended


def test_equals_loops(features):
    layer = with_classifier(features)
    np.testing.assert_allclose(layer(features), by_loops(features, *layer.get_weights(), top=6), rtol=1e-5, atol=1e-5)


def test_classes_are_those_of_the_classifier_behind_the_mean(features):
    layer = with_classifier(features)
    kernel, bias = layer.get_weights()
    logits = features.mean(axis=(1, 2)) @ kernel + bias
    expected = np.argsort(-logits, axis=1)[:, :6]
    np.testing.assert_array_equal(top_classes(features, kernel, bias, 6), expected)


def test_one_class_shows_where_it_is_seen():
    features = np.zeros((1, 3, 3, 2), np.float32)
    features[0, 1, 2, 1] = 4
    features[0, 0, 0, 1] = 1
    layer = OnlineAggregation(2, 1, return_maps=True)
    layer.build(features.shape)
    layer.set_classifier(np.eye(2), np.zeros(2))
    np.testing.assert_allclose(np.squeeze(layer(features)[1]["ona"]), [[0.25, 0, 0], [0, 0, 1], [0, 0, 0]])


def test_maps_go_from_0_to_1_though_every_score_is_negative(features):
    kernel = -np.ones((32, 3), np.float32)
    maps = class_activation_maps(features, kernel, np.array([[0, 1], [1, 2]]))
    np.testing.assert_allclose(np.min(maps, axis=(1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(np.max(maps, axis=(1, 2)), 1, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 7, 5, 32), (1, 1, 1, 32)])
def test_a_map_without_contrast_leaves_the_features_alone(shape):
    features = np.full(shape, 0.3, np.float32)
    np.testing.assert_allclose(with_classifier(features)(features), features)


def test_a_picture_does_not_depend_on_its_batch(features):
    layer = with_classifier(features)
    np.testing.assert_allclose(layer(features)[:1], layer(features[:1]), rtol=1e-5, atol=1e-6)


def test_takes_over_the_dense_layer_of_a_classifier(features):
    model = tf.keras.Sequential([tf.keras.layers.GlobalAveragePooling2D(), tf.keras.layers.Dense(20)])
    logits = model(features).numpy()
    layer = OnlineAggregation(20, 6)
    layer.build(features.shape)
    layer.set_classifier(*model.layers[-1].get_weights())
    np.testing.assert_array_equal(top_classes(features, layer.kernel, layer.bias, 1)[:, 0], logits.argmax(axis=1))


def test_classifier_of_another_shape_is_refused(features):
    with pytest.raises(ValueError, match=r"expected a kernel of shape \(32, 20\).*received \(16, 20\) and \(20,\)"):
        with_classifier(features).set_classifier(np.zeros((16, 20)), np.zeros(20))


def test_more_top_classes_than_classes():
    with pytest.raises(ValueError, match="received top=64, num_classes=10"):
        OnlineAggregation(10)


def test_learns_nothing_itself():
    layer = OnlineAggregation()
    layer.build([None, None, None, 2048])
    assert layer.trainable_weights == []
    assert layer.count_params() == 2048 * 1000 + 1000


def test_contract(features, tmp_path):
    check_layer(OnlineAggregation, features, tmp_path)
