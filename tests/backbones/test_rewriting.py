"""Keras applications written anew."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.rewriting import LayerScale, SmallestSide, StridePadding, needs_rewriting, rewrite

layers = tf.keras.layers
MAPS = np.random.default_rng(0).normal(size=[2, 6, 7, 3]).astype(np.float32)


@pytest.mark.parametrize("make", [lambda **keras: StridePadding(3, **keras), lambda **keras: SmallestSide(9, **keras),
                                  lambda **keras: LayerScale(0.5, **keras)], ids=["padding", "smallest", "scale"])
def test_contract(make, check_layer, tmp_path):
    check_layer(make, MAPS, tmp_path)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_padding_as_keras_fits_it_to_known_sides(size):
    """Keras: half on both ends of an odd side, one less in front of an even one; so n cells become ceil(n / 2)."""
    padded = StridePadding(size)(MAPS)
    half = size // 2
    np.testing.assert_array_equal(padded, np.pad(MAPS, [(0, 0), (half - 1, half), (half, half), (0, 0)]))
    assert layers.MaxPooling2D(size, 2)(padded).shape[1:3] == (3, 4)


def test_padding_of_no_odd_size():
    with pytest.raises(ValueError, match="expected an odd size from 3 on; received 4"):
        StridePadding(4)


def test_small_images_get_zeros_behind():
    np.testing.assert_array_equal(SmallestSide(7)(MAPS), np.pad(MAPS, [(0, 0), (0, 1), (0, 0), (0, 0)]))
    np.testing.assert_array_equal(SmallestSide(6)(MAPS), MAPS)


def test_layer_scale():
    np.testing.assert_allclose(LayerScale(0.25)(MAPS), MAPS / 4)


def network(sides=(None, None)):
    """Operators, names by counting, a nested model, pixels that are rescaled."""
    image = tf.keras.Input([*sides, 3])
    x = layers.Rescaling(1 / 255)(image)
    x = tf.keras.Sequential([layers.Conv2D(4, 3, padding="same", name="first"), layers.ReLU(name="relu")], name="stem")(x)
    x = x + layers.Conv2D(4, 1)(x)
    x = x * (layers.ReLU(6.0)(x + 3.0) * 0.5)
    return tf.keras.Model(image, tf.math.multiply(x, layers.GlobalAveragePooling2D(keepdims=True)(x)), name="small")


def test_operators_become_layers_and_names_count_from_the_first():
    for _ in range(2):
        written = rewrite(network())
        assert [layer.name for layer in written.layers] == [
            "pixels", "rescaling", "first", "relu", "conv2d", "add", "add_1", "re_lu", "multiply", "multiply_1",
            "global_average_pooling2d", "multiply_2"]
    assert type(written.get_layer("add")) is layers.Add
    assert type(written.get_layer("add_1")) is layers.Rescaling


def test_the_same_numbers():
    before = network()
    np.testing.assert_allclose(rewrite(before)(MAPS), before(MAPS), rtol=1e-5)


def test_sides_are_set_free():
    assert needs_rewriting(network((8, 8)))
    assert rewrite(network((8, 8)))(MAPS).shape == (2, 6, 7, 4)


def test_small_images():
    assert rewrite(network(), smallest_side=75)(MAPS).shape == (2, 75, 75, 4)


def test_a_group_for_each_channel_is_a_depthwise_convolution():
    image = tf.keras.Input([None, None, 3])
    x = layers.Conv2D(4, 1, name="first")(image)
    before = tf.keras.Model(image, layers.Conv2D(4, 3, padding="same", groups=4, activation="tanh", name="conv")(x + x))
    written = rewrite(before)
    assert type(written.get_layer("conv")) is layers.DepthwiseConv2D
    np.testing.assert_allclose(written(MAPS), before(MAPS), atol=1e-5)


def test_what_cannot_be_rewritten():
    image = tf.keras.Input([None, None, 3])
    shared = layers.Conv2D(3, 1, name="shared")
    with pytest.raises(ValueError, match="layers that are called once; received shared of twice"):
        rewrite(tf.keras.Model(image, shared(shared(image)), name="twice"))
    with pytest.raises(ValueError, match="expected sums and products of two"):
        rewrite(tf.keras.Model(image, image - 1.0))


def test_keras_own_names_are_left_alone():
    assert not needs_rewriting(tf.keras.applications.MobileNet(weights=None, include_top=False, alpha=0.25))
