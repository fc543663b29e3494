"""CBAM and its halves against loops and numbers worked out by hand."""


import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.cbam import CBAM, CBAMChannel, CBAMSpatial

X0 = (0.1 * np.arange(1, 17)).reshape(1, 2, 2, 4).astype(np.float32)


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 12)).astype(np.float32)


def randomised(layer, channels=12):
    layer.build([None, None, None, channels])
    random = np.random.default_rng(1)
    layer.set_weights([np.abs(random.standard_normal(w.shape)) for w in layer.get_weights()])
    return layer


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def channel_by_loops(features, layer):
    w1, b1, w2, b2 = layer.get_weights()
    attended = np.empty_like(features)
    for b, image in enumerate(features):
        logits = 0
        for pooled in (image.mean(axis=(0, 1)), image.max(axis=(0, 1))):
            logits = logits + np.maximum(pooled @ w1 + b1, 0) @ w2 + b2
        attended[b] = image * sigmoid(logits)
    return attended


def spatial_by_loops(features, layer):
    kernel = layer.convolution.kernel.numpy()
    gamma, beta, mean, variance = (w.numpy()[0] for w in layer.norm.weights)
    attended = np.empty_like(features)
    for b, image in enumerate(features):
        height, width, _ = image.shape
        for i in range(height):
            for j in range(width):
                total = 0.0
                for di in range(7):
                    for dj in range(7):
                        y, x = i + di - 3, j + dj - 3
                        if 0 <= y < height and 0 <= x < width:
                            total += kernel[di, dj, 0, 0] * image[y, x].max()
                            total += kernel[di, dj, 1, 0] * image[y, x].mean()
                normed = gamma * (total - mean) / np.sqrt(variance + 1e-5) + beta
                attended[b, i, j] = image[i, j] * sigmoid(normed)
    return attended


def test_channel_equals_loops(features):
    layer = randomised(CBAMChannel(reduction=4))
    np.testing.assert_allclose(layer(features), channel_by_loops(features, layer), rtol=1e-5, atol=1e-5)


def test_spatial_equals_loops(features):
    layer = randomised(CBAMSpatial())
    np.testing.assert_allclose(layer(features), spatial_by_loops(features, layer), rtol=1e-5, atol=1e-5)


def test_channels_come_first(features):
    layer = randomised(CBAM(reduction=4))
    expected = spatial_by_loops(channel_by_loops(features, layer.channel), layer.spatial)
    np.testing.assert_allclose(layer(features), expected, rtol=1e-5, atol=1e-5)


def test_channel_gate_worked_out_by_hand():
    layer = CBAMChannel(reduction=2, return_maps=True)
    layer.build(X0.shape)
    layer.set_weights([np.array([[1, 0], [0, 1], [1, 0], [0, 1]]), np.zeros(2),
                       np.array([[1, 0, 1, 0], [0, 1, 0, -1]]), np.zeros(4)])
    _, maps = layer(X0)
    np.testing.assert_allclose(np.ravel(maps["channel"]), [0.987872, 0.991837, 0.987872, 0.008163], atol=1e-6)


def test_output_bias_counts_twice():
    layer = CBAMChannel(reduction=2, return_maps=True)
    layer.build(X0.shape)
    layer.set_weights([np.zeros((4, 2)), np.zeros(2), np.zeros((2, 4)), np.array([0, 0.5, 1, -1])])
    _, maps = layer(X0)
    np.testing.assert_allclose(np.ravel(maps["channel"]), sigmoid(np.array([0, 1, 2, -2])), atol=1e-6)


def test_constant_map_gives_twice_the_same():
    layer = randomised(CBAMChannel(reduction=4, return_maps=True))
    vector = np.linspace(-1, 0.1, 12, dtype=np.float32)
    _, maps = layer(np.broadcast_to(vector, (1, 7, 5, 12)))
    w1, b1, w2, b2 = layer.get_weights()
    logits = np.maximum(vector @ w1 + b1, 0) @ w2 + b2
    np.testing.assert_allclose(np.ravel(maps["channel"]), sigmoid(2 * logits), rtol=1e-5)


def test_spatial_gate_starts_at_one_half(features):
    np.testing.assert_array_equal(CBAMSpatial()(features), 0.5 * features)


def test_zero_weights_quarter(features):
    layer = CBAM(reduction=4)
    layer.build(features.shape)
    layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    np.testing.assert_array_equal(layer(features), 0.25 * features)


def test_maps(features):
    _, maps = CBAM(reduction=4, return_maps=True)(features)
    assert {name: gate.shape for name, gate in maps.items()} == {"channel": (2, 1, 1, 12), "spatial": (2, 7, 5, 1)}


@pytest.mark.parametrize(("channels", "parameters"), [(2048, 526_464), (512, 33_312)])
def test_parameters(channels, parameters):
    counts = {}
    for kind in (CBAMChannel, CBAMSpatial, CBAM):
        layer = kind()
        layer.build([None, None, None, channels])
        counts[kind] = sum(np.prod(w.shape) for w in layer.trainable_weights)
    assert counts == {CBAMChannel: parameters, CBAMSpatial: 100, CBAM: parameters + 100}


def test_statistics_move_in_training_only(features):
    layer = CBAM(reduction=4)
    layer(features, training=False)
    before = layer.spatial.norm.moving_mean.numpy()
    layer(features, training=False)
    np.testing.assert_array_equal(layer.spatial.norm.moving_mean, before)
    layer(features, training=True)
    assert layer.spatial.norm.moving_mean.numpy() != before


def test_means_in_half_precision():
    layer = CBAM(reduction=16, return_maps=True, dtype="mixed_float16")
    attended, maps = layer(tf.fill([1, 64, 48, 64], tf.constant(60, tf.float16)))
    assert np.isfinite(attended).all()
    assert all(np.isfinite(gate).all() for gate in maps.values())


@pytest.mark.parametrize("kind", [CBAMChannel, CBAM])
def test_wrong_reduction(kind):
    with pytest.raises(ValueError, match="expected reduction >= 1; received 0"):
        kind(reduction=0)
    with pytest.raises(ValueError, match=r"channels >= 16\]; received shape \(None, 7, 5, 8\)"):
        kind(reduction=16).build([None, 7, 5, 8])
