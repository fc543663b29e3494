import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.surgery import insert_blocks, places, replace_convolutions
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.aa import AttentionAugmentedConvolution
from landmark_zoo.layers.attention.base import Attention
from landmark_zoo.layers.attention.registry import ATTENTION

layers = tf.keras.layers
IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 4, 4, 2)).astype(np.float32)


class Double(Attention):
    """Multiplies by two."""

    def attend(self, inputs, training=None):
        return 2 * inputs, {"two": tf.fill([tf.shape(inputs)[0], 1, 1, 1], 2.0)}


def small():
    image = tf.keras.Input([4, 4, 2], name="image")
    x = layers.Conv2D(2, 1, name="conv")(image)
    return tf.keras.Model(image, {"early": x, "late": layers.ReLU(name="relu")(x)}, name="small")


def test_a_layer_with_a_block_is_called_by_apply_alone():
    seen = []

    def apply(layer, block, inputs):
        seen.append((layer.name, block.name))
        return block(inputs)

    rebuilt = insert_blocks(small(), {"conv": Double(return_maps=True, name="double")}, apply)
    outputs = rebuilt(IMAGES)
    assert seen == [("conv", "double")]
    assert set(outputs) == {"early", "late", "attention/double/two"}
    np.testing.assert_allclose(outputs["early"], 2 * IMAGES)
    np.testing.assert_allclose(outputs["late"], 2 * np.maximum(IMAGES, 0))


def test_a_layer_left_out_passes_its_input_on():
    model = small()
    rebuilt = insert_blocks(model, {}, left_out=["relu"])
    np.testing.assert_array_equal(rebuilt(IMAGES)["late"], model(IMAGES)["early"])
    assert [layer.name for layer in rebuilt.layers] == ["image", "conv"]


@pytest.mark.parametrize("names", [{"blocks": {"nowhere": Double()}}, {"blocks": {}, "left_out": ["nowhere"]}])
def test_no_such_layer(names):
    with pytest.raises(ValueError, match="expected layers of small; received nowhere"):
        insert_blocks(small(), **names)


def test_layers_called_twice_or_with_more_than_tensors():
    image = tf.keras.Input([4, 4, 2])
    shared = layers.Conv2D(2, 1, name="shared")
    twice = tf.keras.Model(image, {"out": shared(shared(image))}, name="twice")
    operation = tf.keras.Model(image, {"out": tf.add(image, 1.0)}, name="operation")
    for model, said in ((twice, "received shared of twice, called 2 times"), (operation, "with tensors alone; received tf")):
        with pytest.raises(ValueError, match=said):
            insert_blocks(model, {})


INSERTION_IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 64, 48, 3)).astype(np.float32)


class Times(Attention):
    """Multiplies by a number."""

    def __init__(self, factor, **kwargs):
        super().__init__(return_maps=True, **kwargs)
        self.factor = factor

    def attend(self, inputs, training=None):
        return self.factor * inputs, {"factor": tf.fill([tf.shape(inputs)[0], 1, 1, 1], self.factor)}


def small_insertion():
    image = tf.keras.Input([4, 4, 2], name="image")
    x = layers.Conv2D(2, 1, name="conv")(image)
    y = layers.ReLU(name="relu")(x)
    z = layers.Add(name="add")([layers.Multiply(name="multiply")([x, y]), x])
    return tf.keras.Model(image, {"early": y, "late": layers.Concatenate(name="both")([y, z])}, name="small")


def test_what_follows_sees_the_attended_map():
    model = small_insertion()
    rebuilt = insert_blocks(model, {"relu": Times(3.0, name="times_a"), "multiply": Times(5.0, name="times_b")})
    images = INSERTION_IMAGES[:, :4, :4, :2]
    x = model.get_layer("conv")(images).numpy()
    y = 3 * np.maximum(x, 0)
    outputs = rebuilt(images)
    assert set(outputs) == {"early", "late", "attention/times_a/factor", "attention/times_b/factor"}
    np.testing.assert_allclose(outputs["early"], y, rtol=1e-5)
    np.testing.assert_allclose(outputs["late"], np.concatenate([y, 5 * x * y + x], axis=-1), rtol=1e-5)
    np.testing.assert_array_equal(outputs["attention/times_b/factor"], np.full((2, 1, 1, 1), 5))


def test_layers_are_the_same_and_the_old_model_works_on():
    model = small_insertion()
    before = model(INSERTION_IMAGES[:, :4, :4, :2])
    rebuilt = insert_blocks(model, {"relu": Times(3.0, name="times")})
    assert rebuilt.name == "small"
    assert rebuilt.get_layer("conv") is model.get_layer("conv")
    assert [layer.name for layer in rebuilt.layers if isinstance(layer, Attention)] == ["times"]
    for name, values in model(INSERTION_IMAGES[:, :4, :4, :2]).items():
        np.testing.assert_array_equal(values, before[name])


@pytest.mark.parametrize(("backbone", "alpha"), [("mobilenetv2", 0.35), ("resnet18", 0.25), ("efficientnetb0", None),
                                                 ("efficientnetlite0", None)])
def test_a_backbone_with_blocks_that_do_nothing_is_the_same_function(backbone, alpha):
    model = build_backbone(backbone, alpha=alpha)
    adds = [layer.name for layer in model.layers if isinstance(layer, layers.Add | layers.Multiply)]
    before, names = model(INSERTION_IMAGES), [layer.name for layer in model.layers]
    rebuilt = insert_blocks(model, {name: Times(1.0, name=f"times_{name}") for name in adds})
    for tap in ("C3", "C4", "C5"):
        np.testing.assert_allclose(rebuilt(INSERTION_IMAGES)[tap], before[tap], rtol=1e-5, atol=1e-6)
    assert [layer.name for layer in rebuilt.layers if layer.name in names] == names
    for left, right in zip(model.weights, rebuilt.weights, strict=True):
        assert left is right


RANDOM = np.random.default_rng(0)
METHODS = {"aa": {}, "san_pairwise": {"kernel_size": 3}, "san_patchwise": {"kernel_size": 3}}
REPLACED = ("conv3_block1_2_conv", "conv4_block2_1_conv", "conv5_block2_2_conv")
REPLACEMENT_IMAGES = RANDOM.uniform(-1, 1, (2, 64, 96, 3)).astype(np.float32)


class Mean(Attention):
    """Gives the mean of all channels as each of its own."""

    def __init__(self, filters, **kwargs):
        super().__init__(return_maps=True, **kwargs)
        self.filters = filters

    def attend(self, inputs, training=None):
        mean = tf.reduce_mean(inputs, axis=-1, keepdims=True)
        return tf.repeat(mean, self.filters, axis=-1), {"mean": mean}


def small_replacement():
    """One convolution that pads for itself and activates, one that is padded for."""
    image = tf.keras.Input([6, 5, 4], name="image")
    x = layers.Conv2D(6, 3, padding="same", activation="tanh", bias_initializer="normal", name="same")(image)
    y = layers.Conv2D(8, 3, use_bias=False, name="valid")(layers.ZeroPadding2D(1, name="pad")(x))
    return tf.keras.Model(image, {"early": x, "late": y}, name="small")


FEATURES = REPLACEMENT_IMAGES[:, :6, :5, [0, 1, 2, 0]]


def test_what_follows_sees_what_stands_in():
    model = small_replacement()
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
    model = small_replacement()
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
    assert replace_convolutions(small_replacement(), {"valid": layer})(FEATURES)["late"].shape == (2, 6, 5, 8)
    layer = AttentionAugmentedConvolution(8, heads=2, value_dimension=8, return_maps=True, name="aa")
    assert replace_convolutions(small_replacement(), {"valid": layer})(FEATURES)["late"].shape == (2, 6, 5, 8)


def test_augmenting_nothing_leaves_the_network_as_it_is():
    network = build_backbone("resnet18", alpha=0.25, taps=("C3", "C4", "C5"))
    found = places(network, BACKBONES["resnet18"], "convolutions")
    before = network(REPLACEMENT_IMAGES)
    outputs = replace_convolutions(network, {
        name: ATTENTION["aa"].create_replacement(network.get_layer(name).filters, value_dimension=0, return_maps=True)
        for name in found})(REPLACEMENT_IMAGES)
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


@pytest.mark.slow
def test_any_size(rebuilt):
    method, _, network = rebuilt
    for images in (REPLACEMENT_IMAGES, REPLACEMENT_IMAGES.transpose(0, 2, 1, 3), REPLACEMENT_IMAGES[:, :32, :32]):
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
        features = network(REPLACEMENT_IMAGES, training=True)["C5"]
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
    expected = network(REPLACEMENT_IMAGES)["C5"]
    noise = 1e-5 * np.abs(expected).max()
    twin = tf.keras.Model.from_config(network.get_config())
    twin.set_weights(network.get_weights())
    np.testing.assert_allclose(twin(REPLACEMENT_IMAGES)["C5"], expected, atol=noise)
    module = tf.Module()
    module.variables_ = network.variables
    module.call = tf.function(lambda images: network(images, training=False),
                              input_signature=[tf.TensorSpec([None, None, None, 3])])
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded.call(REPLACEMENT_IMAGES)["C5"], expected, atol=noise)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_mixed_precision(method):
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        network, half = replaced(method, REPLACED[:1])
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    with tf.GradientTape() as tape:
        features = half(REPLACEMENT_IMAGES, training=True)["C5"]
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
        replace_convolutions(small_replacement(), {"pad": Mean(8)})
    with pytest.raises(ValueError, match="expected 8 filters for valid; received thin, which gives 7"):
        replace_convolutions(small_replacement(), {"valid": Mean(7, name="thin")})
    with pytest.raises(ValueError, match="received nowhere"):
        replace_convolutions(small_replacement(), {"nowhere": Mean(8)})


@pytest.mark.parametrize(("backbone", "number", "layer", "place"), [
    ("resnet18", 8, "conv2_block1_2_bn", "conv2_block1"), ("resnet18", 8, "conv4_block1_2_bn", "conv4_block1"),
    ("resnet50", 16, "conv4_block1_3_bn", "conv4_block1"), ("resnet50", 16, "conv5_block3_3_bn", "conv5_block3"),
    ("mobilenetv2", 10, "block_2_project_BN", "block_2"), ("efficientnetb0", 9, "block2b_project_bn", "block2b"),
    ("efficientnetlite0", 9, "block2b_project_bn", "block2b"), ("efficientnetlite2", 14, "block6e_project_bn", "block6e")])
def test_branches_before_their_additions(backbone, number, layer, place):
    found = places(build_backbone(backbone, taps=("C5",)), BACKBONES[backbone], "blocks")
    assert len(found) == len(set(found.values())) == number
    assert found[layer] == place


@pytest.mark.parametrize("backbone", ["mobilenet", "resnet18", "resnet50", "vgg16", "efficientnetlite0"])
def test_stages_are_the_taps(backbone):
    spec = BACKBONES[backbone]
    assert places(build_backbone(backbone, taps=("C5",)), spec, "stages") == {
        layer: tap.lower() for tap, layer in spec.taps.items()}


@pytest.mark.parametrize(("backbone", "number", "first", "last"), [
    ("resnet18", 9, ("conv3_block1_2_conv", "conv3_block1_2"), ("conv5_block2_2_conv", "conv5_block2_2")),
    ("resnet50", 13, ("conv3_block1_2_conv", "conv3_block1_2"), ("conv5_block3_2_conv", "conv5_block3_2")),
    ("vgg16", 9, ("block3_conv1", "block3_conv1"), ("block5_conv3", "block5_conv3"))])
def test_convolutions_of_the_last_stages(backbone, number, first, last):
    found = list(places(build_backbone(backbone, taps=("C5",)), BACKBONES[backbone], "convolutions").items())
    assert len(found) == number
    assert (found[0], found[-1]) == (first, last)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["mobilenet", "mobilenetv2", "efficientnetb0", "efficientnetlite0"])
def test_no_whole_convolutions(backbone):
    with pytest.raises(UserError, match=f"received {backbone}, which has none behind its first stages"):
        places(build_backbone(backbone), BACKBONES[backbone], "convolutions")


def test_only_what_the_network_contains():
    network = build_backbone("resnet18", alpha=0.25, taps=("C3",))
    assert places(network, BACKBONES["resnet18"], "stages") == {"conv3_out": "c3"}
    assert list(places(network, BACKBONES["resnet18"], "blocks").values()) == [
        "conv2_block1", "conv2_block2", "conv3_block1", "conv3_block2"]


@pytest.mark.parametrize("backbone", ["mobilenet", "vgg16"])
def test_no_residual_branches(backbone):
    with pytest.raises(UserError, match=f"received {backbone}, which has none. Use placement 'stages'"):
        places(build_backbone(backbone), BACKBONES[backbone], "blocks")


def test_neither_input_is_the_longer():
    image = tf.keras.Input([4, 4, 2])
    left, right = (tf.keras.layers.Conv2D(2, 1)(image) for _ in range(2))
    network = tf.keras.Model(image, {"C5": tf.keras.layers.Add(name="sum")([left, right])})
    with pytest.raises(ValueError, match="longer than its shortcut; received equal ones at sum"):
        places(network, BACKBONES["resnet18"], "blocks")


def test_the_end_is_not_in_the_backbone():
    with pytest.raises(ValueError, match="received 'end'"):
        places(build_backbone("resnet18", alpha=0.25), BACKBONES["resnet18"], "end")
