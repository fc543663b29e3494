"""GLAM's local stream against loops and the paper's equations 1 and 2."""

import numpy as np
import pytest

from landmark_zoo.layers.attention.glam_local import GLAMLocal, GLAMLocalChannel, GLAMLocalSpatial

RANDOM = np.random.default_rng(0)
FEATURES = np.maximum(RANDOM.standard_normal((2, 7, 5, 32)), 0).astype(np.float32)
LAYERS = (GLAMLocalChannel, GLAMLocalSpatial, GLAMLocal)


def randomised(layer):
    layer.build(FEATURES.shape)
    layer.set_weights([RANDOM.standard_normal(w.shape).astype(np.float32) / 5 for w in layer.get_weights()])
    return layer.get_weights()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def channel_gate(image, kernel):
    means = np.pad(image.mean(axis=(0, 1)), len(kernel) // 2)
    return sigmoid(np.array([means[c:c + len(kernel)] @ kernel[:, 0, 0] for c in range(image.shape[-1])]))


def convolve(image, kernel, bias, dilation=1):
    """A k x k convolution by loops, padded with zeros."""
    border = dilation * (len(kernel) // 2)
    padded = np.pad(image, ((border, border), (border, border), (0, 0)))
    height, width = image.shape[:2]
    return bias + sum(padded[i * dilation:i * dilation + height, j * dilation:j * dilation + width] @ kernel[i, j]
                      for i in range(len(kernel)) for j in range(len(kernel)))


def spatial_gate(image, weights):
    """Weights in the order of building: reduce, pointwise, three dilated ones, join."""
    kernels, biases = weights[::2], weights[1::2]
    reduced = convolve(image, kernels[0], biases[0])
    branches = [convolve(reduced, kernel, bias, dilation)
                for kernel, bias, dilation in zip(kernels[1:5], biases[1:5], (1, 1, 2, 3), strict=True)]
    return convolve(np.concatenate(branches, axis=-1), kernels[5], biases[5])


def test_local_channel_equals_loops():
    layer = GLAMLocalChannel(kernel_size=5)
    kernel, = randomised(layer)
    expected = [image * channel_gate(image, kernel) + image for image in FEATURES]
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-6)


def test_local_spatial_equals_loops():
    layer = GLAMLocalSpatial(width=6, return_maps=True)
    weights = randomised(layer)
    gates = np.array([spatial_gate(image, weights) for image in FEATURES])
    attended, maps = layer(FEATURES)
    np.testing.assert_allclose(maps["local_spatial"], gates, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(attended, FEATURES * gates + FEATURES, rtol=1e-5, atol=1e-5)


def test_both_maps_are_of_the_features_themselves():
    layer = GLAMLocal(width=6)
    weights = randomised(layer)
    expected = []
    for image in FEATURES:
        attended = image * channel_gate(image, weights[0]) + image
        expected.append(attended * spatial_gate(image, weights[1:]) + attended)
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-5)


def test_zero_weights():
    """A_c = 0.5 and A_s = 0, so that F_l = 1.5 F."""
    for layer, factor in ((GLAMLocalChannel(), 1.5), (GLAMLocalSpatial(), 1.0), (GLAMLocal(), 1.5)):
        layer.build(FEATURES.shape)
        layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
        np.testing.assert_allclose(layer(FEATURES), factor * FEATURES, rtol=1e-6)


def test_the_spatial_gate_sees_seven_by_seven_and_is_linear():
    layer = GLAMLocalSpatial(width=4, return_maps=True)
    randomised(layer)
    features = np.zeros((1, 11, 11, 32), np.float32)
    empty = layer(features)[1]["local_spatial"]
    features[0, 5, 5] = 1
    seen = (layer(features)[1]["local_spatial"] - empty).numpy()[0, :, :, 0]
    places = np.argwhere(np.abs(seen) > 1e-6)
    assert places.min() == 2
    assert places.max() == 8
    np.testing.assert_allclose((layer(-3 * features)[1]["local_spatial"] - empty)[0, :, :, 0], -3 * seen, atol=1e-4)


@pytest.mark.parametrize(("layer", "parameters"), [
    (GLAMLocalChannel(), 3), (GLAMLocalChannel(5), 5),
    (GLAMLocalSpatial(), 2048 * 512 + 512 + 3 * (9 * 512**2 + 512) + 512**2 + 512 + 4 * 512 + 1)])
def test_parameters(layer, parameters):
    layer.build([None, None, None, 2048])
    assert layer.count_params() == parameters


def test_the_reduced_width_is_never_more_than_the_channels():
    layer = GLAMLocalSpatial(width=512)
    layer.build([None, None, None, 32])
    assert layer.get_weights()[0].shape == (1, 1, 32, 32)


@pytest.mark.parametrize("layer", [GLAMLocalChannel, GLAMLocal])
@pytest.mark.parametrize("kernel_size", [0, 4])
def test_even_kernels_are_refused(layer, kernel_size):
    with pytest.raises(ValueError, match=f"expected an odd kernel_size; received {kernel_size}"):
        layer(kernel_size=kernel_size)


@pytest.mark.parametrize("layer", [GLAMLocalSpatial, GLAMLocal])
def test_no_width_is_refused(layer):
    with pytest.raises(ValueError, match="expected width >= 1; received 0"):
        layer(width=0)
