"""Attention in the place of convolutions."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones import BACKBONES
from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.backbones.placement import places
from landmark_zoo.backbones.replacement import replace_convolutions
from landmark_zoo.layers.attention import ATTENTION, Attention
from landmark_zoo.layers.attention.aa import AttentionAugmentedConvolution

layers = tf.keras.layers
RANDOM = np.random.default_rng(0)
METHODS = {"aa": {}, "san_pairwise": {"kernel_size": 3}, "san_patchwise": {"kernel_size": 3}}
REPLACED = ("conv3_block1_2_conv", "conv4_block2_1_conv", "conv5_block2_2_conv")
IMAGES = RANDOM.uniform(-1, 1, (2, 64, 96, 3)).astype(np.float32)


class Mean(Attention):
    """Gives the mean of all channels as each of its own."""

    def __init__(self, filters, **kwargs):
        super().__init__(return_maps=True, **kwargs)
        self.filters = filters

    def attend(self, inputs, training=None):
        mean = tf.reduce_mean(inputs, axis=-1, keepdims=True)
        return tf.repeat(mean, self.filters, axis=-1), {"mean": mean}


def small():
    """One convolution that pads for itself and activates, one that is padded for."""
    image = tf.keras.Input([6, 5, 4], name="image")
    x = layers.Conv2D(6, 3, padding="same", activation="tanh", bias_initializer="normal", name="same")(image)
    y = layers.Conv2D(8, 3, use_bias=False, name="valid")(layers.ZeroPadding2D(1, name="pad")(x))
    return tf.keras.Model(image, {"early": x, "late": y}, name="small")


FEATURES = IMAGES[:, :6, :5, [0, 1, 2, 0]]


def test_what_follows_sees_what_stands_in():
    model = small()
    before = model(FEATURES)
    rebuilt = replace_convolutions(model, {"same": Mean(6, name="a"), "valid": Mean(8, name="b")})
    outputs, early = rebuilt(FEATURES), np.tanh(FEATURES.mean(axis=-1, keepdims=True))
    np.testing.assert_allclose(outputs["attention/a/mean"], FEATURES.mean(axis=-1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(outputs["early"], np.repeat(early, 6, axis=-1), rtol=1e-5)
    np.testing.assert_allclose(outputs["late"], np.repeat(early, 8, axis=-1), rtol=1e-5)
    np.testing.assert_allclose(outputs["attention/b/mean"], early, rtol=1e-5)
    assert [layer.name for layer in rebuilt.layers] == ["image", "a", "a_activation", "b"]
    for name, values in model(FEATURES).items():
        np.testing.assert_array_equal(values, before[name])


def test_the_kept_filters_are_the_first_of_the_replaced():
    model = small()
    before = model(FEATURES)
    augmented = {name: AttentionAugmentedConvolution(filters, heads=2, value_dimension=2, return_maps=True, name=f"a_{name}")
                 for name, filters in {"same": 6, "valid": 8}.items()}
    first = replace_convolutions(model, augmented)(FEATURES)["early"]
    np.testing.assert_allclose(first[..., :4], before["early"][..., :4], rtol=1e-5, atol=1e-6)
    kernel = model.get_layer("valid").kernel.numpy()
    np.testing.assert_array_equal(augmented["valid"].convolution.kernel, kernel[..., :6])
    np.testing.assert_array_equal(augmented["valid"].convolution.bias, np.zeros(6))


def test_a_kernel_of_another_size_starts_at_random():
    layer = AttentionAugmentedConvolution(8, 5, heads=2, value_dimension=2, return_maps=True, name="aa")
    assert replace_convolutions(small(), {"valid": layer})(FEATURES)["late"].shape == (2, 6, 5, 8)
    layer = AttentionAugmentedConvolution(8, heads=2, value_dimension=8, return_maps=True, name="aa")
    assert replace_convolutions(small(), {"valid": layer})(FEATURES)["late"].shape == (2, 6, 5, 8)


def test_augmenting_nothing_leaves_the_network_as_it_is():
    network = build_backbone("resnet18", alpha=0.25, taps=("C3", "C4", "C5"))
    found = places(network, BACKBONES["resnet18"], "convolutions")
    before = network(IMAGES)
    outputs = replace_convolutions(network, {
        name: ATTENTION["aa"].create_replacement(network.get_layer(name).filters, value_dimension=0, return_maps=True)
        for name in found})(IMAGES)
    assert set(outputs) == {"C3", "C4", "C5"}
    for tap, values in outputs.items():
        np.testing.assert_allclose(values, before[tap], rtol=1e-4, atol=1e-5)


def replaced(method, names=REPLACED):
    """ResNet-18 at a quarter of its width, and what stands in for three of its convolutions."""
    tf.keras.utils.set_random_seed(0)
    network = build_backbone("resnet18", alpha=0.25, taps=("C5",))
    stand_ins = {}
    for name in names:
        stand_ins[name] = ATTENTION[method].create_replacement(
            network.get_layer(name).filters, return_maps=True, name=name.removesuffix("_conv"), **METHODS[method])
    return network, replace_convolutions(network, stand_ins)


@pytest.fixture(scope="module", params=METHODS)
def rebuilt(request):
    return request.param, *replaced(request.param)


def test_any_size(rebuilt):
    method, _, network = rebuilt
    for images in (IMAGES, IMAGES.transpose(0, 2, 1, 3), IMAGES[:, :32, :32]):
        outputs = network(images)
        height, width = images.shape[1] // 32, images.shape[2] // 32
        assert outputs["C5"].shape == (2, height, width, 128)
        assert outputs[f"attention/conv4_block2_1/{method}"].shape == (2, 2 * height, 2 * width, 1)
        assert all(np.isfinite(values).all() for values in outputs.values())
    assert network.input_shape == (None, None, None, 3)


def test_all_other_weights_are_the_same(rebuilt):
    _, before, network = rebuilt
    lost = {f"{name}/kernel:0" for name in REPLACED}
    kept = [weight for weight in before.weights if weight.name not in lost]
    assert len(before.weights) == len(kept) + len(REPLACED)
    identities = {id(weight) for weight in network.weights}
    assert all(id(weight) in identities for weight in kept)


def test_one_step_reaches_every_weight(rebuilt):
    _, _, network = rebuilt
    with tf.GradientTape() as tape:
        features = network(IMAGES, training=True)["C5"]
        loss = tf.reduce_sum(features * RANDOM.standard_normal(features.shape))
    weights = network.trainable_weights
    for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        assert gradient is not None, weight.name
        gradient = tf.convert_to_tensor(gradient).numpy()
        assert np.isfinite(gradient).all(), weight.name
        if "kernel" in weight.name:
            assert np.abs(gradient).max() > 0, weight.name


@pytest.mark.slow
def test_keras_and_saved_model(rebuilt, tmp_path):
    _, _, network = rebuilt
    expected = network(IMAGES)["C5"]
    noise = 1e-5 * np.abs(expected).max()
    twin = tf.keras.Model.from_config(network.get_config())
    twin.set_weights(network.get_weights())
    np.testing.assert_allclose(twin(IMAGES)["C5"], expected, atol=noise)
    module = tf.Module()
    module.variables_ = network.variables
    module.call = tf.function(lambda images: network(images, training=False),
                              input_signature=[tf.TensorSpec([None, None, None, 3])])
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded.call(IMAGES)["C5"], expected, atol=noise)


@pytest.mark.parametrize("method", METHODS)
def test_mixed_precision(method):
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        network, half = replaced(method, REPLACED[:1])
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    with tf.GradientTape() as tape:
        features = half(IMAGES, training=True)["C5"]
        loss = tf.reduce_mean(tf.cast(features, tf.float32))
    assert features.dtype == tf.float16
    assert np.isfinite(features).all()
    assert all(gradient is not None for gradient in tape.gradient(loss, half.trainable_weights))
    if method == "aa":
        kernel = network.get_layer(REPLACED[0]).kernel.numpy()
        np.testing.assert_array_equal(half.get_layer("conv3_block1_2").convolution.kernel, kernel[..., :24])


def convolution(name, **arguments):
    image = tf.keras.Input([6, 6, 4], name="image")
    x = layers.ZeroPadding2D(arguments.pop("border", 1), name="pad")(image)
    made = layers.Conv2D(8, 3, name=name, **arguments)(x)
    return tf.keras.Model(image, {"out": made}, name="small")


@pytest.mark.parametrize("arguments", [{"strides": 2}, {"strides": 2, "padding": "same"}, {"border": 0}, {"border": 2},
                                       {"dilation_rate": 2}])
def test_convolutions_that_change_the_size(arguments):
    with pytest.raises(ValueError, match="that keep height and width, by padding of their own; received conv "):
        replace_convolutions(convolution("conv", **arguments), {"conv": Mean(8)})


def test_padding_that_others_use():
    image = tf.keras.Input([6, 6, 4])
    padded = layers.ZeroPadding2D(1)(image)
    model = tf.keras.Model(image, {"a": layers.Conv2D(8, 3, name="conv")(padded), "b": layers.ReLU()(padded)})
    with pytest.raises(ValueError, match="padding of their own; received conv "):
        replace_convolutions(model, {"conv": Mean(8)})


def test_what_is_no_convolution_or_has_other_channels():
    with pytest.raises(ValueError, match=r"received pad \(ZeroPadding2D\)"):
        replace_convolutions(small(), {"pad": Mean(8)})
    with pytest.raises(ValueError, match="expected 8 filters for valid; received thin, which gives 7"):
        replace_convolutions(small(), {"valid": Mean(7, name="thin")})
    with pytest.raises(ValueError, match="received nowhere"):
        replace_convolutions(small(), {"nowhere": Mean(8)})
