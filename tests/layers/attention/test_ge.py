"""Gather-excite against loops: the three variants, by extent and global."""

import functools
import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.ge import GatherExcite, neighborhood_mean, upsample_nearest

X0 = (0.1 * np.arange(1, 17)).reshape(1, 2, 2, 4).astype(np.float32)
LEARNED = ["theta", "theta_plus"]


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 8)).astype(np.float32)


def randomised(layer, shape):
    layer.build(shape)
    random = np.random.default_rng(1)
    for weight in layer.weights:
        value = random.standard_normal(weight.shape)
        weight.assign(0.5 + np.abs(value) if "variance" in weight.name else value)
    return layer


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def depthwise(image, kernel, stride, pad):
    padded = np.pad(image, [(pad, pad), (pad, pad), (0, 0)])
    rows, columns = kernel.shape[:2]
    return np.array([[(padded[i:i + rows, j:j + columns] * kernel[..., 0]).sum(axis=(0, 1))
                      for j in range(0, padded.shape[1] - columns + 1, stride)]
                     for i in range(0, padded.shape[0] - rows + 1, stride)])


def window_means(image, extent):
    height, width, _ = image.shape
    return np.array([[image[max(0, i - extent + 1):i + extent, max(0, j - extent + 1):j + extent].mean(axis=(0, 1))
                      for j in range(0, width, extent)] for i in range(0, height, extent)])


def by_loops(features, layer):
    attended = np.empty_like(features)
    weights = {sub.name: [w.numpy() for w in sub.weights] for sub in layer.gather}
    for b, image in enumerate(features):
        height, width, _ = image.shape
        if layer.variant == "theta_minus":
            x = window_means(image, layer.extent) if layer.extent else image.mean(axis=(0, 1), keepdims=True)
        else:
            x = image
            steps = int(math.log2(layer.extent)) if layer.extent else 1
            for step in range(1, steps + 1):
                x = depthwise(x, *weights[f"gather_{step}"], *((2, 1) if layer.extent else (1, 0)))
                gamma, beta, mean, variance = weights[f"norm_{step}"]
                x = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
                if step < steps or layer.variant == "theta_plus":
                    x = np.maximum(x, 0)
        if layer.variant == "theta_plus":
            (w1, b1), (w2, b2) = weights["squeeze"], weights["excite"]
            x = np.maximum(x @ w1 + b1, 0) @ w2 + b2
        for i in range(height):
            for j in range(width):
                attended[b, i, j] = image[i, j] * sigmoid(x[i * x.shape[0] // height, j * x.shape[1] // width])
    return attended


@pytest.mark.parametrize("extent", [0, 2, 4, 8])
@pytest.mark.parametrize("variant", ["theta_minus", *LEARNED])
def test_equals_loops(variant, extent, features):
    layer = randomised(GatherExcite(variant, extent, reduction=2), features.shape)
    np.testing.assert_allclose(layer(features), by_loops(features, layer), rtol=1e-5, atol=1e-5)


def test_global_mean_gate_worked_out_by_hand():
    _, maps = GatherExcite("theta_minus", 0, return_maps=True)(X0)
    np.testing.assert_allclose(np.ravel(maps["ge"]), [0.668188, 0.689974, 0.710950, 0.731059], atol=1e-6)


@pytest.mark.parametrize("extent", [0, 4])
@pytest.mark.parametrize("variant", LEARNED)
def test_zero_convolutions_halve(variant, extent, features):
    layer = GatherExcite(variant, extent, reduction=2)
    layer.build(features.shape)
    for sub in layer.gather:
        if sub.name.startswith("gather"):
            sub.set_weights([np.zeros_like(w) for w in sub.get_weights()])
    np.testing.assert_allclose(layer(features), 0.5 * features, rtol=1e-6)


@pytest.mark.parametrize("extent", [2, 4, 8])
def test_mean_does_not_count_the_border(extent):
    ones = np.ones((1, 7, 5, 3), np.float32)
    means = neighborhood_mean(ones, extent)
    assert means.shape == (1, math.ceil(7 / extent), math.ceil(5 / extent), 3)
    np.testing.assert_allclose(means, np.ones(means.shape), rtol=1e-6)


def test_nearest_takes_the_floor():
    """7 rows from 3: floor(3 i / 7). With pixel centres, as in tf.image.resize, row 2 would be 1."""
    column = np.arange(3, dtype=np.float32).reshape(1, 3, 1, 1)
    np.testing.assert_array_equal(np.ravel(upsample_nearest(column, [7, 1])), [0, 0, 0, 1, 1, 2, 2])
    assert np.ravel(tf.image.resize(column, [7, 1], "nearest"))[2] == 1


@pytest.mark.parametrize("extent", [2, 4, 8])
def test_nearest_for_every_size_up_to_100(extent):
    for size in range(1, 101):
        cells = math.ceil(size / extent)
        column = np.arange(cells, dtype=np.float32).reshape(1, cells, 1, 1)
        np.testing.assert_array_equal(np.ravel(upsample_nearest(column, [size, 1])), np.arange(size) * cells // size)


@pytest.mark.parametrize(("variant", "extent", "shape", "parameters"), [
    ("theta_minus", 0, [None, None, None, 2048], 0), ("theta_minus", 8, [None, None, None, 2048], 0),
    ("theta", 2, [None, None, None, 2048], 22_528), ("theta", 4, [None, None, None, 2048], 45_056),
    ("theta", 8, [None, None, None, 2048], 67_584), ("theta", 8, [None, None, None, 512], 16_896),
    ("theta", 0, [None, 7, 7, 2048], 104_448), ("theta", 0, [None, 14, 14, 512], 101_376),
    ("theta_plus", 0, [None, 7, 7, 2048], 630_912), ("theta_plus", 0, [None, 14, 14, 512], 134_688),
])
def test_parameters(variant, extent, shape, parameters):
    layer = GatherExcite(variant, extent)
    layer.build(shape)
    assert sum(np.prod(w.shape) for w in layer.trainable_weights) == parameters


@pytest.mark.parametrize("variant", LEARNED)
def test_global_is_tied_to_one_map_size(variant, features):
    layer = GatherExcite(variant, 0, reduction=2)
    with pytest.raises(ValueError, match=r"expected known height and width; received shape \(None, None, 5, 8\)"):
        layer.build([None, None, 5, 8])
    layer(features)
    with pytest.raises(ValueError, match=r"expected height and width \(7, 5\) as built; received shape \(2, 5, 7, 8\)"):
        layer(features.transpose(0, 2, 1, 3))
    with pytest.raises(ValueError, match=r"\(7, 5\) as built; received shape \(None, None, None, 8\)"):
        tf.function(layer).get_concrete_function(tf.TensorSpec([None, None, None, 8]))


def test_steps_start_unlike_each_other():
    layer = GatherExcite("theta", 8)
    layer.build([None, None, None, 64])
    kernels = [sub.get_weights()[0] for sub in layer.gather if sub.name.startswith("gather")]
    assert len(kernels) == 3
    assert not np.allclose(kernels[0], kernels[1])
    assert np.std(kernels) == pytest.approx(math.sqrt(2 / 9), rel=0.1)


def test_mean_of_a_large_map_in_half_precision():
    layer = GatherExcite("theta_minus", 0, return_maps=True, dtype="mixed_float16")
    _, maps = layer(tf.fill([1, 64, 48, 4], tf.constant(0.1, tf.float16)))
    np.testing.assert_allclose(np.ravel(maps["ge"]), 4 * [0.524979], atol=1e-3)


@pytest.mark.parametrize("arguments", [{"variant": "theta_times"}, {"reduction": 0}, {"extent": 1}, {"extent": 6},
                                       {"extent": -2}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match=r"expected .*received"):
        GatherExcite(**arguments)


@pytest.mark.parametrize("variant", ["theta", "theta_plus"])
def test_contract_of_the_global_extent(check_layer, variant, tmp_path):
    features = np.random.default_rng(0).standard_normal((2, 7, 5, 32)).astype(np.float32)
    check_layer(functools.partial(GatherExcite, variant, extent=0, reduction=4), features, tmp_path, unknown_size=False)
