"""ResNets of torchvision: its counts, Keras' names, a forward pass by hand, blocks of attention at every place."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone, preprocess
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.backbones.resnet_v15 import (
    ResNet18,
    ResNet34,
    ResNet50V15,
    ResNet101V15,
    ResNet152V15,
    basic_block,
    bottleneck_block,
)
from landmark_zoo.backbones.surgery import places
from landmark_zoo.models.build import build_model

COUNTS = {ResNet18: (11_176_512, 20), ResNet34: (21_284_672, 36), ResNet50V15: (23_508_032, 53)}
LARGE_COUNTS = {ResNet101V15: (42_500_160, 104), ResNet152V15: (58_143_808, 155)}
"""Parameters that learn, of torchvision without the classifier, and convolutions."""


def trainable(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


@pytest.mark.parametrize("make", [*COUNTS, *(pytest.param(make, marks=pytest.mark.slow) for make in LARGE_COUNTS)])
def test_parameters_are_torchvisions(make):
    model = make()
    convolutions = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.Conv2D)]
    assert (trainable(model), len(convolutions)) == {**COUNTS, **LARGE_COUNTS}[make]
    assert not any(layer.use_bias for layer in convolutions)


def test_layers_are_named_as_in_keras():
    """Every layer of Keras' ResNet50 is here too; added is the padding that Keras' 3x3 convolutions do themselves."""
    keras = {layer.name for layer in tf.keras.applications.ResNet50(include_top=False, weights=None).layers[1:]}
    ours = {layer.name for layer in ResNet50V15(alpha=1 / 16).layers[1:]}
    assert keras <= ours
    assert all(name.endswith("_2_pad") for name in ours - keras)


def test_the_3x3_strides():
    model = ResNet50V15(alpha=1 / 16)
    strides = {number: model.get_layer(f"conv3_block1_{number}_conv").strides for number in range(4)}
    assert strides == {0: (2, 2), 1: (1, 1), 2: (2, 2), 3: (1, 1)}


@pytest.mark.parametrize(("make", "channels"), [(ResNet18, 128), (ResNet34, 128), (ResNet50V15, 512)])
def test_width(make, channels):
    assert make(alpha=0.25).output_shape == (None, None, None, channels)


def identity(model):
    """All kernels zero but the centre taps of an identity."""
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.Conv2D):
            kernel = np.zeros(layer.kernel.shape, np.float32)
            middle = kernel.shape[0] // 2
            kernel[middle, middle] = np.eye(*kernel.shape[2:])
            layer.kernel.assign(kernel)
    return model


def test_block_by_hand():
    """relu(relu(x) + x)."""
    image = tf.keras.Input([6, 4, 3])
    model = identity(tf.keras.Model(image, basic_block(image, 3, 1, "block", "out")))
    x = np.random.default_rng(0).standard_normal((2, 6, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(model(x), np.maximum(np.maximum(x, 0) + x, 0), rtol=1e-4, atol=1e-4)


def test_bottleneck_by_hand():
    """Of 8 channels the first 2 pass the branch; every second location remains, the first among them."""
    image = tf.keras.Input([6, 4, 8])
    model = identity(tf.keras.Model(image, bottleneck_block(image, 2, 2, "block", "out")))
    x = np.random.default_rng(0).standard_normal((2, 6, 4, 8)).astype(np.float32)
    kept = x[:, ::2, ::2]
    branch = np.maximum(kept, 0) * (np.arange(8) < 2)
    np.testing.assert_allclose(model(x), np.maximum(branch + kept, 0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("make", [*COUNTS, *LARGE_COUNTS])
def test_no_top_and_no_weights(make):
    with pytest.raises(ValueError, match="expected include_top=False"):
        make(include_top=True)


def test_pixels_in_the_order_bgr():
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(preprocess(image, "standard_bgr"), preprocess(image, "standard")[..., ::-1])
    assert {name: BACKBONES[name].preprocessing for name in BACKBONES.list("resnet*v15*")} == {
        "resnet50v15": "standard", "resnet101v15": "standard", "resnet152v15": "standard",
        "resnet50v15bgr": "standard_bgr", "resnet101v15bgr": "standard_bgr"}


@pytest.mark.parametrize("size", [(64, 64), (33, 90)])
def test_taps(size):
    network = build_backbone("resnet50v15", alpha=1 / 16)
    outputs = network(np.zeros((1, *size, 3), np.float32))
    for tap, stride in BACKBONES["resnet50v15"].strides.items():
        assert outputs[tap].shape[1:3] == tuple(-(-side // stride) for side in size), tap


@pytest.mark.parametrize(("placement", "number", "first"), [
    ("stages", 3, ("conv3_block4_out", "c3")), ("blocks", 16, ("conv2_block1_3_bn", "conv2_block1")),
    ("convolutions", 10, ("conv3_block2_2_conv", "conv3_block2_2"))])
def test_places(placement, number, first):
    found = places(build_backbone("resnet50v15", alpha=1 / 16, taps=("C5",)), BACKBONES["resnet50v15"], placement)
    assert (len(found), next(iter(found.items()))) == (number, first)


@pytest.mark.parametrize(("placement", "attention", "maps"), [
    ("end", "se", 1), ("stages", "se", 3), ("blocks", "se", 16), ("convolutions", "aa", 10)])
def test_attention_at_every_place(placement, attention, maps):
    model = build_model("resnet50v15", attention, embedding_dim=8, alpha=1 / 8, placement=placement)
    outputs = model(np.zeros((1, 65, 97, 3), np.uint8))
    assert sum(name.startswith("attention/") for name in outputs) >= maps
    assert outputs["feature_map"].shape == (1, 3, 4, 256)
