"""Class-weighted attention against loops, and where its classes and maps come from."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.ona import OnlineAggregation, class_activation_maps, top_classes


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def with_classifier(features, num_classes=20, top=6, **arguments):
    random = np.random.default_rng(1)
    layer = OnlineAggregation(num_classes, top, **arguments)
    layer.build(features.shape)
    layer.set_classifier(random.standard_normal((features.shape[-1], num_classes)), random.standard_normal(num_classes))
    return layer


def by_loops(features, kernel, bias, top, scaling):
    attended = np.empty_like(features)
    for b, image in enumerate(features):
        logits = [image[..., :].mean(axis=(0, 1)) @ kernel[:, c] + bias[c] for c in range(len(bias))]
        average = 0
        for c in np.argsort(logits)[::-1][:top]:
            cam = np.array([[x @ kernel[:, c] for x in row] for row in image])
            if scaling == "maximum":
                cam = np.maximum(cam, 0) / cam.max() if cam.max() > 0 else 0 * cam
            else:
                cam = (cam - cam.min()) / (cam.max() - cam.min())
            average = average + cam / top
        attended[b] = average[..., None] * image
    return attended


@pytest.mark.parametrize("scaling", ["maximum", "min_max"])
def test_equals_loops(features, scaling):
    layer = with_classifier(features, scaling=scaling)
    expected = by_loops(features, *layer.get_weights(), top=6, scaling=scaling)
    np.testing.assert_allclose(layer(features), expected, rtol=1e-5, atol=1e-5)


def test_the_authors_scaling_divides_by_the_largest_and_cuts_below_zero(features):
    kernel = np.random.default_rng(1).standard_normal((32, 20)).astype(np.float32)
    classes = np.array([[0, 3], [7, 1]])
    maps = class_activation_maps(features, kernel, classes, "maximum")
    for b, image in enumerate(features):
        for t, c in enumerate(classes[b]):
            cam = image @ kernel[:, c]
            np.testing.assert_allclose(maps[b, ..., t], np.maximum(cam / cam.max(), 0), rtol=1e-4, atol=1e-5)
    assert np.max(class_activation_maps(features, -np.abs(kernel), classes, "maximum")) == 0


def test_a_configuration_without_a_scaling_is_the_older_one(features):
    layer = with_classifier(features, scaling="min_max")
    config = layer.get_config()
    assert config.pop("scaling") == "min_max"
    older = OnlineAggregation.from_config(config)
    older.build(features.shape)
    older.set_weights(layer.get_weights())
    np.testing.assert_array_equal(older(features), layer(features))
    authors = with_classifier(features)
    assert OnlineAggregation.from_config(authors.get_config()).scaling == "maximum"
    assert np.abs(authors(features) - layer(features)).max() > 0.01


def test_unknown_scaling_is_refused():
    with pytest.raises(ValueError, match="expected scaling 'maximum' or 'min_max'; received 'max'"):
        OnlineAggregation(scaling="max")


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
    maps = class_activation_maps(features, kernel, np.array([[0, 1], [1, 2]]), "min_max")
    np.testing.assert_allclose(np.min(maps, axis=(1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(np.max(maps, axis=(1, 2)), 1, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 7, 5, 32), (1, 1, 1, 32)])
def test_a_map_without_contrast_leaves_the_features_alone(shape):
    features = np.full(shape, 0.3, np.float32)
    np.testing.assert_allclose(with_classifier(features, scaling="min_max")(features), features)


def test_an_image_does_not_depend_on_its_batch(features):
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
