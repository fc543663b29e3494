"""Contextual reweighting against loops, the authors' pooling rule and its borders."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.crn import ContextualReweighting, double, halve


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def halved_by_loops(image):
    """The authors' pooling: windows start every second row, rounded up, cut at the border. Even sides only."""
    height, width, channels = image.shape
    pooled = np.empty((height // 2, width // 2, channels))
    for i in range(height // 2):
        for j in range(width // 2):
            pooled[i, j] = image[2 * i:2 * i + 3, 2 * j:2 * j + 3].mean(axis=(0, 1))
    return pooled


def doubled_by_loops(mask):
    """Each value spreads over 4x4 locations, one of them outside before and after."""
    height, width = mask.shape
    large = np.zeros((2 * height + 2, 2 * width + 2))
    taps = np.array([0.25, 0.75, 0.75, 0.25])
    for i in range(height):
        for j in range(width):
            large[2 * i:2 * i + 4, 2 * j:2 * j + 4] += mask[i, j] * np.outer(taps, taps)
    return large[1:-1, 1:-1]


def convolved_by_loops(image, kernel, bias):
    size = kernel.shape[0]
    padded = np.pad(image, [[size // 2] * 2, [size // 2] * 2, [0, 0]])
    height, width = image.shape[:2]
    return np.array([[np.einsum("ijc,ijcf->f", padded[i:i + size, j:j + size], kernel) + bias
                      for j in range(width)] for i in range(height)])


def test_equals_loops(features):
    random = np.random.default_rng(1)
    layer = ContextualReweighting()
    layer.build(features.shape)
    for weight in layer.trainable_weights:
        weight.assign(0.02 * random.standard_normal(weight.shape))
    kernels = [layer.contexts[n].get_weights() for n in range(3)]
    expected = np.empty_like(features)
    for b, image in enumerate(features):
        half = halved_by_loops(np.pad(image, [[0, 1], [0, 1], [0, 0]], mode="edge"))
        total = sum(np.maximum(convolved_by_loops(half, *kernel), 0).sum(axis=-1) for kernel in kernels)
        mask = doubled_by_loops(np.maximum(total + layer.bias.numpy(), 0))[:7, :5]
        expected[b] = mask[..., None] * image
    np.testing.assert_allclose(layer(features), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("side", "half"), [(14, 7), (15, 8), (13, 7), (2, 1), (1, 1)])
def test_halving_rounds_up_and_leaves_out_what_lies_outside(side, half):
    image = np.random.default_rng(0).standard_normal((side, side, 3)).astype(np.float32)
    pooled = halve(image[None])[0]
    assert pooled.shape == (half, half, 3)
    odd = side % 2
    expected = halved_by_loops(np.pad(image, [[0, odd], [0, odd], [0, 0]], mode="edge"))
    np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-6)


def test_doubling_darkens_the_border():
    large = np.squeeze(double(tf.ones([1, 2, 2, 1])))
    np.testing.assert_allclose(large, [[0.5625, 0.75, 0.75, 0.5625], [0.75, 1, 1, 0.75], [0.75, 1, 1, 0.75],
                                       [0.5625, 0.75, 0.75, 0.5625]])


def test_without_contexts_the_mask_is_the_bias():
    layer = ContextualReweighting(return_maps=True)
    layer.build([1, 4, 4, 8])
    for weight in layer.trainable_weights:
        weight.assign(tf.zeros_like(weight))
    layer.bias.assign([2.0])
    attended, maps = layer(np.ones((1, 4, 4, 8), np.float32))
    mask = np.squeeze(maps["crn"])
    np.testing.assert_allclose(mask[1:3, 1:3], 2)
    np.testing.assert_allclose(mask[0], [1.125, 1.5, 1.5, 1.125])
    np.testing.assert_allclose(attended[..., 5], mask[None])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (14, 15), (13, 12)])
def test_mask_has_the_size_of_the_map(height, width):
    layer = ContextualReweighting()
    features = np.ones((1, height, width, 8), np.float32)
    layer(features)
    assert layer.mask(features).shape == (1, height, width, 1)


def test_the_sum_stays_a_sum():
    layer = ContextualReweighting()
    layer.build([None, None, None, 8])
    assert [w.shape for w in layer.non_trainable_weights] == [(1, 1, 84, 1)]
    assert (layer.accumulate.numpy() == 1).all()
    layer.trainable = True
    assert len(layer.trainable_weights) == 7


@pytest.mark.parametrize(("channels", "parameters"), [(2048, 4_235_433), (512, 1_058_985)])
def test_parameters(channels, parameters):
    layer = ContextualReweighting()
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters
