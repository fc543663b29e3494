"""Tensors of torch in a Keras network."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.weight_files.assign import assign_tensors
from landmark_zoo.core.errors import UserError

NAMES = {"conv": "c", "depthwise": "d", "bn": "n", "dense": "l"}


@pytest.fixture
def network():
    layers = tf.keras.layers
    return tf.keras.Sequential([
        tf.keras.Input([8, 8, 3]), layers.Conv2D(4, (3, 2), use_bias=False, name="conv"),
        layers.DepthwiseConv2D((2, 3), use_bias=False, name="depthwise"), layers.BatchNormalization(name="bn"),
        layers.GlobalAveragePooling2D(), layers.Dense(5, name="dense")])


@pytest.fixture
def tensors():
    random = np.random.default_rng(0)
    shapes = {"c.weight": (4, 3, 3, 2), "d.weight": (4, 1, 2, 3), "l.weight": (5, 4), "l.bias": (5,),
              **{f"n.{part}": (4,) for part in ("weight", "bias", "running_mean", "running_var")}}
    return {name: random.uniform(0.5, 1, shape).astype(np.float32) for name, shape in shapes.items()}


def test_every_weight_by_loops(network, tensors):
    assign_tensors(network, {**tensors, "n.num_batches_tracked": np.int64(3), "top.weight": np.zeros(2)}, NAMES, "a.pth",
                   unused=["top"])
    kernel, depthwise, dense = (network.get_layer(name).get_weights()[0] for name in ("conv", "depthwise", "dense"))
    for index in np.ndindex(*kernel.shape):
        assert kernel[index] == tensors["c.weight"][index[3], index[2], index[0], index[1]]
    for index in np.ndindex(*depthwise.shape):
        assert depthwise[index] == tensors["d.weight"][index[2], 0, index[0], index[1]]
    np.testing.assert_array_equal(dense, tensors["l.weight"].T)
    parts = ("weight", "bias", "running_mean", "running_var")
    for found, part in zip(network.get_layer("bn").get_weights(), parts, strict=True):
        np.testing.assert_array_equal(found, tensors[f"n.{part}"])


def test_normalizations_without_scale_or_offset_and_over_layers():
    layers = tf.keras.layers
    network = tf.keras.Sequential([
        tf.keras.Input([4]), layers.BatchNormalization(center=False, scale=False, name="plain"),
        layers.BatchNormalization(scale=False, name="moved"), layers.LayerNormalization(name="layer")])
    parts = {"plain": ("running_mean", "running_var"), "moved": ("bias", "running_mean", "running_var"),
             "layer": ("weight", "bias")}
    values = iter(np.arange(28, dtype=np.float32).reshape(7, 4) + 1)
    tensors = {f"{name}.{part}": next(values) for name, each in parts.items() for part in each}
    assign_tensors(network, tensors, {name: name for name in parts}, "a.pt")
    np.testing.assert_array_equal(np.stack(network.get_weights()), np.stack(list(tensors.values())))


@pytest.mark.parametrize(("change", "said"), [
    ({"c.weight": None}, "none named c.weight"), ({"c.weight": np.zeros((4, 3, 2, 3), np.float32)}, "c.weight float32"),
    ({"l.bias": np.zeros(5, np.int64)}, "l.bias int64"), ({"l.bias": np.full(5, np.nan, np.float32)}, "not finite"),
    ({"x.weight": np.zeros(2, np.float32)}, "1 tensors that it has no layer for, x.weight")])
def test_a_wrong_tensor_leaves_all_layers_as_they_were(network, tensors, change, said):
    before = network.get_weights()
    wrong = {name: value for name, value in {**tensors, **change}.items() if value is not None}
    with pytest.raises(UserError, match=said):
        assign_tensors(network, wrong, NAMES, "a.pth")
    for left, right in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
