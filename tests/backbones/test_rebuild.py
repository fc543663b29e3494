"""A network called once more."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.rebuild import rebuild
from landmark_zoo.layers.attention import Attention

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

    rebuilt = rebuild(small(), {"conv": Double(return_maps=True, name="double")}, apply)
    outputs = rebuilt(IMAGES)
    assert seen == [("conv", "double")]
    assert set(outputs) == {"early", "late", "attention/double/two"}
    np.testing.assert_allclose(outputs["early"], 2 * IMAGES)
    np.testing.assert_allclose(outputs["late"], 2 * np.maximum(IMAGES, 0))


def test_a_layer_left_out_passes_its_input_on():
    model = small()
    rebuilt = rebuild(model, {}, None, left_out=["relu"])
    np.testing.assert_array_equal(rebuilt(IMAGES)["late"], model(IMAGES)["early"])
    assert [layer.name for layer in rebuilt.layers] == ["image", "conv"]


@pytest.mark.parametrize("names", [{"blocks": {"nowhere": Double()}}, {"blocks": {}, "left_out": ["nowhere"]}])
def test_no_such_layer(names):
    with pytest.raises(ValueError, match="expected layers of small; received nowhere"):
        rebuild(small(), apply=None, **names)


def test_layers_called_twice_or_with_more_than_tensors():
    image = tf.keras.Input([4, 4, 2])
    shared = layers.Conv2D(2, 1, name="shared")
    twice = tf.keras.Model(image, {"out": shared(shared(image))}, name="twice")
    operation = tf.keras.Model(image, {"out": tf.add(image, 1.0)}, name="operation")
    for model, said in ((twice, "received shared of twice, called 2 times"), (operation, "with tensors alone; received tf")):
        with pytest.raises(ValueError, match=said):
            rebuild(model, {}, None)
