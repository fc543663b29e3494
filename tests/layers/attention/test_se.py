"""Squeeze-and-excitation against the numbers of the paper's formula."""

import numpy as np
import pytest

from landmark_zoo.layers.attention.se import SqueezeExcitation

X0 = (0.1 * np.arange(1, 17)).reshape(1, 2, 2, 4).astype(np.float32)


def by_loops(features, w1, b1, w2, b2):
    attended = np.empty_like(features)
    for b, image in enumerate(features):
        means = [image[..., c].mean() for c in range(image.shape[-1])]
        hidden = [max(0, sum(m * w1[c, h] for c, m in enumerate(means)) + b1[h]) for h in range(len(b1))]
        for c in range(image.shape[-1]):
            gate = 1 / (1 + np.exp(-(sum(v * w2[h, c] for h, v in enumerate(hidden)) + b2[c])))
            attended[b, ..., c] = gate * image[..., c]
    return attended


def test_equals_loops():
    random = np.random.default_rng(0)
    features = random.standard_normal((2, 7, 5, 12)).astype(np.float32)
    layer = SqueezeExcitation(reduction=4)
    layer.build(features.shape)
    weights = [random.standard_normal(w.shape).astype(np.float32) for w in layer.get_weights()]
    layer.set_weights(weights)
    np.testing.assert_allclose(layer(features), by_loops(features, *weights), rtol=1e-5, atol=1e-6)


def test_gate_worked_out_by_hand():
    layer = SqueezeExcitation(reduction=2, return_maps=True)
    layer.build(X0.shape)
    layer.set_weights([np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32), np.zeros(2),
                       np.array([[1, 0, 1, 0], [0, 1, 0, -1]], np.float32), np.zeros(4)])
    _, maps = layer(X0)
    np.testing.assert_allclose(np.ravel(maps["se"]), [0.832018, 0.858149, 0.832018, 0.141851], atol=1e-6)


def test_zero_weights_halve_and_a_large_bias_keeps():
    layer = SqueezeExcitation(reduction=2)
    layer.build(X0.shape)
    zeros = [np.zeros_like(w) for w in layer.get_weights()]
    layer.set_weights(zeros)
    np.testing.assert_allclose(layer(X0), 0.5 * X0, rtol=1e-6)
    layer.set_weights([*zeros[:3], np.full(4, 20, np.float32)])
    np.testing.assert_allclose(layer(X0), X0, rtol=1e-6)


@pytest.mark.parametrize(("channels", "parameters"), [(2048, 526_464), (512, 33_312)])
def test_parameters(channels, parameters):
    layer = SqueezeExcitation()
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters


def test_too_few_channels():
    with pytest.raises(ValueError, match=r"channels >= 16\]; received shape \(None, 7, 5, 8\)"):
        SqueezeExcitation(reduction=16).build([None, 7, 5, 8])


def test_without_biases_as_in_the_paper():
    layer = SqueezeExcitation(reduction=2, use_bias=False)
    layer(np.ones((1, 2, 2, 4), np.float32))
    assert layer.count_params() == 2 * 4 * 2
    assert SqueezeExcitation.from_config(layer.get_config()).use_bias is False
