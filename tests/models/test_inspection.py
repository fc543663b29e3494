import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.base import GATE
from landmark_zoo.models import build_model
from landmark_zoo.models.attention_branch_network import build_attention_branch_network
from landmark_zoo.models.inspection import (
    attention_kinds,
    attention_maps,
    costs,
    gated_features,
    multiply_accumulates,
    on_features,
    weights_fingerprint,
)


@pytest.mark.slow
@pytest.mark.parametrize(("application", "millions"), [
    (tf.keras.applications.MobileNetV2, 300.77), (tf.keras.applications.MobileNet, 568.74)])
def test_published_networks(application, millions):
    model = application(weights=None)
    counted = multiply_accumulates(model, tf.TensorSpec([1, 224, 224, 3]))
    assert abs(counted / 1e6 - millions) < 0.01 * millions


def test_each_operation_by_hand():
    kernel = tf.ones([3, 3, 4, 8])
    cases = (
        (lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), 10 * 6 * 8 * 9 * 4),
        (lambda x: tf.nn.depthwise_conv2d(x, tf.ones([3, 3, 4, 2]), [1, 1, 1, 1], "SAME"), 10 * 6 * 8 * 9),
        (lambda x: tf.nn.conv2d_transpose(x, tf.ones([3, 3, 2, 4]), [1, 20, 12, 2], 2), 10 * 6 * 4 * 9 * 2),
        (lambda x: tf.reshape(x, [60, 4]) @ tf.ones([4, 5]), 60 * 4 * 5),
        (lambda x: tf.matmul(tf.reshape(x, [2, 30, 4]), tf.reshape(x, [2, 30, 4]), transpose_a=True), 2 * 4 * 4 * 30),
        (lambda x: tf.einsum("bhwc,bijc->bhwij", x, x), 60 * 60 * 4),
        (lambda x: tf.einsum("bhwc->bc", x), 0),
    )
    for function, expected in cases:
        assert multiply_accumulates(function, tf.TensorSpec([1, 10, 6, 4])) == expected


def test_unknown_sizes_are_refused():
    model = tf.keras.layers.Conv2D(2, 3)
    model(np.zeros((1, 5, 5, 3), np.float32))
    with pytest.raises(ValueError, match="expected known shapes; received"):
        multiply_accumulates(model, tf.TensorSpec([1, None, None, 3]))


@pytest.mark.parametrize(("attention", "pooling"), [
    ("se", "gem"), pytest.param(None, "rmac", marks=pytest.mark.slow), pytest.param("solar", "gem", marks=pytest.mark.slow)])
def test_sum_of_the_parts(attention, pooling):
    added = costs("mobilenet", attention, pooling, 64, 96, 128)
    model = build_model("mobilenet", attention, pooling, embedding_dim=64)
    assert added.parameters == model.count_params()
    assert added.macs == multiply_accumulates(model, tf.TensorSpec([1, 96, 128, 3]))
    assert added.embedding == 64


IMAGES = tf.random.stateless_uniform([2, 64, 96, 3], [0, 1], 0, 255)


def build(attention, **arguments):
    tf.keras.utils.set_random_seed(0)
    return build_model("mobilenet", attention, alpha=0.25, embedding_dim=8, num_classes=3, **arguments)


@pytest.mark.parametrize("attention", [
    None, "se", pytest.param("glam", marks=pytest.mark.slow)])
def test_both_parts_together_are_the_model(attention):
    model = build(attention)
    to_features, from_features = on_features(model)
    whole, parts = model(IMAGES), from_features(to_features(IMAGES))
    assert set(parts) == set(whole) - (set() if attention else {"feature_map"})
    for name, output in parts.items():
        np.testing.assert_array_equal(output, whole[name])
    assert to_features(IMAGES).shape == (2, 2, 3, 256)


def test_the_second_part_has_nothing_of_the_backbone_and_shares_the_rest():
    model = build("se")
    _, from_features = on_features(model)
    assert [layer.name for layer in from_features.layers[1:]] == ["se", "gem", "embedding", "arcface"]
    before = model(IMAGES)["embedding"].numpy()
    from_features.get_layer("embedding").kernel.assign(-from_features.get_layer("embedding").kernel)
    np.testing.assert_allclose(model(IMAGES)["embedding"], -before, atol=1e-6)


def test_it_takes_maps_of_any_size():
    _, from_features = on_features(build("solar"))
    for height, width in ((1, 1), (3, 7)):
        assert from_features(tf.ones([2, height, width, 256]))["embedding"].shape == (2, 8)


@pytest.mark.parametrize("model", [lambda: build("se", placement="stages"),
                                   lambda: build_attention_branch_network("resnet18", alpha=0.25, num_classes=3)])
def test_attention_inside_the_backbone_cannot_be_cut_off(model):
    with pytest.raises(UserError, match="nothing of its backbone but the last feature map"):
        on_features(model())


IMAGE = np.random.default_rng(0).integers(0, 256, (96, 64, 3)).astype(np.float32)


def test_attention_to_channels_stays_a_vector():
    model = build_model("mobilenet", "cbam", alpha=0.25)
    maps, outputs = attention_maps(model, IMAGE), model(IMAGE[None])
    assert set(maps) == {"attention/channel", "attention/spatial", "feature norm"}
    np.testing.assert_allclose(maps["attention/channel"], outputs["attention/channel"][0, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(maps["feature norm"], np.linalg.norm(outputs["feature_map"][0], axis=-1), rtol=1e-5)
    assert maps["attention/spatial"].shape == maps["feature norm"].shape == (3, 2)
    assert attention_kinds(model) == {"attention/channel": GATE, "attention/spatial": GATE}


@pytest.mark.parametrize("placement", [pytest.param("end", marks=pytest.mark.slow), "stages"])
def test_the_features_that_a_gate_weighs(placement):
    """Weighed by it they are the feature map, where it is the last block."""
    model = build_model("mobilenet", "se", alpha=0.25, placement=placement)
    name = next(name for name in sorted(model.output, reverse=True) if name.startswith("attention/"))
    features, outputs = gated_features(model, IMAGE, name), model(IMAGE[None])
    np.testing.assert_allclose(features * outputs[name][0], outputs["feature_map"][0], rtol=1e-4, atol=1e-6)
    assert attention_kinds(model)[name] == GATE


def test_a_map_of_no_block_has_no_features():
    model = build_attention_branch_network("resnet18", alpha=0.25, num_classes=3)
    assert attention_kinds(model) == {"attention/abn": GATE}
    assert gated_features(model, IMAGE, "attention/abn") is None


def dense(units=3, name=None):
    return tf.keras.Sequential([tf.keras.Input([2]), tf.keras.layers.Dense(units, kernel_initializer="ones", name=name)])


def test_equal_weights_have_one_fingerprint_whatever_their_names():
    assert weights_fingerprint(dense(name="a")) == weights_fingerprint(dense(name="b"))


def test_another_value_or_shape_has_another():
    model = dense()
    before = weights_fingerprint(model)
    model.layers[-1].kernel[0, 0].assign(1.0001)
    assert len({before, weights_fingerprint(model), weights_fingerprint(dense(2))}) == 3
