"""Blocks between the layers of a network that is already there."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.backbones.insertion import insert_blocks
from landmark_zoo.layers.attention import Attention

layers = tf.keras.layers
IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 64, 48, 3)).astype(np.float32)


class Times(Attention):
    """Multiplies by a number."""

    def __init__(self, factor, **kwargs):
        super().__init__(return_maps=True, **kwargs)
        self.factor = factor

    def attend(self, inputs, training=None):
        return self.factor * inputs, {"factor": tf.fill([tf.shape(inputs)[0], 1, 1, 1], self.factor)}


def small():
    image = tf.keras.Input([4, 4, 2], name="image")
    x = layers.Conv2D(2, 1, name="conv")(image)
    y = layers.ReLU(name="relu")(x)
    z = layers.Add(name="add")([layers.Multiply(name="multiply")([x, y]), x])
    return tf.keras.Model(image, {"early": y, "late": layers.Concatenate(name="both")([y, z])}, name="small")


def test_what_follows_sees_the_attended_map():
    model = small()
    rebuilt = insert_blocks(model, {"relu": Times(3.0, name="times_a"), "multiply": Times(5.0, name="times_b")})
    images = IMAGES[:, :4, :4, :2]
    x = model.get_layer("conv")(images).numpy()
    y = 3 * np.maximum(x, 0)
    outputs = rebuilt(images)
    assert set(outputs) == {"early", "late", "attention/times_a/factor", "attention/times_b/factor"}
    np.testing.assert_allclose(outputs["early"], y, rtol=1e-5)
    np.testing.assert_allclose(outputs["late"], np.concatenate([y, 5 * x * y + x], axis=-1), rtol=1e-5)
    np.testing.assert_array_equal(outputs["attention/times_b/factor"], np.full((2, 1, 1, 1), 5))


def test_layers_are_the_same_and_the_old_model_works_on():
    model = small()
    before = model(IMAGES[:, :4, :4, :2])
    rebuilt = insert_blocks(model, {"relu": Times(3.0, name="times")})
    assert rebuilt.name == "small"
    assert rebuilt.get_layer("conv") is model.get_layer("conv")
    assert [layer.name for layer in rebuilt.layers if isinstance(layer, Attention)] == ["times"]
    for name, values in model(IMAGES[:, :4, :4, :2]).items():
        np.testing.assert_array_equal(values, before[name])


@pytest.mark.parametrize(("backbone", "alpha"), [("mobilenetv2", 0.35), ("resnet18", 0.25), ("efficientnetb0", None)])
def test_a_backbone_with_blocks_that_do_nothing_is_the_same_function(backbone, alpha):
    model = build_backbone(backbone, alpha=alpha)
    adds = [layer.name for layer in model.layers if isinstance(layer, layers.Add | layers.Multiply)]
    before, names = model(IMAGES), [layer.name for layer in model.layers]
    rebuilt = insert_blocks(model, {name: Times(1.0, name=f"times_{name}") for name in adds})
    for tap in ("C3", "C4", "C5"):
        np.testing.assert_allclose(rebuilt(IMAGES)[tap], before[tap], rtol=1e-5, atol=1e-6)
    assert [layer.name for layer in rebuilt.layers if layer.name in names] == names
    for left, right in zip(model.weights, rebuilt.weights, strict=True):
        assert left is right
