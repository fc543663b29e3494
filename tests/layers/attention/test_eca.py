"""Efficient channel attention against loops, the paper's rule for the kernel and numbers worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.eca import EfficientChannelAttention, eca_kernel_size

X0 = (0.1 * np.arange(1, 17)).reshape(1, 2, 2, 4).astype(np.float32)


def with_kernel(kernel, channels=4, **arguments):
    layer = EfficientChannelAttention(kernel_size=len(kernel), return_maps=True, **arguments)
    layer.build([None, None, None, channels])
    layer.set_weights([np.reshape(kernel, [-1, 1, 1]).astype(np.float32)])
    return layer


def by_loops(features, kernel):
    attended = np.empty_like(features)
    half = len(kernel) // 2
    for b, image in enumerate(features):
        means = [image[..., c].mean() for c in range(image.shape[-1])]
        for c in range(len(means)):
            neighbours = [(kernel[half + d], means[c + d]) for d in range(-half, half + 1) if 0 <= c + d < len(means)]
            attended[b, ..., c] = image[..., c] / (1 + np.exp(-sum(weight * mean for weight, mean in neighbours)))
    return attended


@pytest.mark.parametrize("size", [1, 3, 5])
def test_equals_loops(size):
    random = np.random.default_rng(0)
    features = random.standard_normal((2, 7, 5, 12)).astype(np.float32)
    kernel = random.standard_normal(size)
    attended, _ = with_kernel(kernel, 12)(features)
    np.testing.assert_allclose(attended, by_loops(features, kernel), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("kernel", "gate"), [
    ([0, 1, 0], [0.668188, 0.689974, 0.710950, 0.731059]),
    ([1, 1, 1], [0.817574, 0.916827, 0.937027, 0.869892]),
    ([1, 2, 3], [0.978119, 0.993307, 0.996316, 0.947846]),
    ([0, 0, 0], [0.5, 0.5, 0.5, 0.5]),
])
def test_gate_worked_out_by_hand(kernel, gate):
    attended, maps = with_kernel(kernel)(X0)
    np.testing.assert_allclose(np.ravel(maps["eca"]), gate, atol=1e-6)
    np.testing.assert_allclose(attended, X0 * np.float32(gate), atol=1e-6)


def test_padding_is_with_zeros_not_circular():
    _, maps = with_kernel([1, 1, 1], 8)(np.full((1, 7, 5, 8), 0.3, np.float32))
    inner, edge = 1 / (1 + np.exp(-0.9)), 1 / (1 + np.exp(-0.6))
    np.testing.assert_allclose(np.ravel(maps["eca"]), [edge, *6 * [inner], edge], atol=1e-6)


@pytest.mark.parametrize(("channels", "size"), [(1, 3), (16, 3), (32, 3), (64, 3), (128, 5), (256, 5), (512, 5),
                                                (1024, 5), (1280, 5), (1536, 5), (2048, 7), (4096, 7)])
def test_kernel_size_of_the_formula(channels, size):
    assert eca_kernel_size(channels) == size
    layer = EfficientChannelAttention()
    layer.build([None, None, None, channels])
    assert layer.count_params() == size


def test_own_kernel_size():
    layer = EfficientChannelAttention(kernel_size=9)
    layer.build([None, None, None, 2048])
    assert layer.count_params() == 9


@pytest.mark.parametrize("size", [0, 4, -3])
def test_kernel_size_must_be_odd(size):
    with pytest.raises(ValueError, match=f"expected an odd kernel_size >= 1; received {size}"):
        EfficientChannelAttention(kernel_size=size)


def test_mean_of_a_large_map_in_half_precision():
    _, maps = with_kernel([0, 0.01, 0], dtype="mixed_float16")(tf.fill([1, 64, 48, 4], tf.constant(60, tf.float16)))
    np.testing.assert_allclose(np.ravel(maps["eca"]), 4 * [0.645656], atol=2e-3)


def test_sizes_by_channels(tmp_path):
    """The authors' ResNet-50 has 3, 5, 5 and 7; the formula has 5 at 256 channels."""
    sizes = {}
    for channels in (256, 512, 2048):
        layer = EfficientChannelAttention(((256, 3), (512, 5)))
        layer.build([None, None, None, channels])
        sizes[channels] = layer.neighbours.kernel_size[0]
    assert sizes == {256: 3, 512: 5, 2048: 7}
    image = tf.keras.Input([None, None, 256])
    model = tf.keras.Model(image, EfficientChannelAttention(((256, 3),))(image))
    model.save(tmp_path / "eca.keras")
    assert tf.keras.models.load_model(tmp_path / "eca.keras").layers[-1].neighbours.kernel_size == (3,)
    with pytest.raises(ValueError, match="expected an odd kernel_size"):
        EfficientChannelAttention(((256, 4),))
