"""AGeM's attention unit against loops and the two forms."""

import numpy as np
import pytest

from landmark_zoo.layers.attention.agem import AGeMAttention

VARIANTS = [{"form": form, "deep": deep} for form in ("product", "sum") for deep in (False, True)]


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def convolved_by_loops(image, kernel):
    size = kernel.shape[0]
    padded = np.pad(image, [[size // 2] * 2, [size // 2] * 2, [0, 0]])
    height, width = image.shape[:2]
    return np.array([[np.einsum("ijc,ijcf->f", padded[i:i + size, j:j + size], kernel)
                      for j in range(width)] for i in range(height)])


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_loops(features, variant):
    random = np.random.default_rng(1)
    layer = AGeMAttention(**variant)
    layer.build(features.shape)
    layer.set_weights([np.abs(random.standard_normal(w.shape)) + 0.5 if "variance" in w.name
                       else 0.1 * random.standard_normal(w.shape) for w in layer.weights])
    expected = np.empty_like(features)
    for b, image in enumerate(features):
        hidden = image
        for convolution, normalisation in zip(layer.convolutions, layer.normalisations, strict=True):
            gamma, beta, mean, variance = normalisation.get_weights()
            hidden = convolved_by_loops(hidden, convolution.get_weights()[0])
            hidden = np.maximum(gamma * (hidden - mean) / np.sqrt(variance + 1e-5) + beta, 0)
        kernel, bias = layer.gate.get_weights()
        gate = 1 / (1 + np.exp(-(convolved_by_loops(hidden, kernel) + bias)))
        expected[b] = gate * image if variant["form"] == "product" else image + gate
    np.testing.assert_allclose(layer(features), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("deep", [False, True])
def test_zero_logits_halve_or_add_a_half(features, deep):
    for form, expected in (("product", 0.5 * features), ("sum", features + 0.5)):
        layer = AGeMAttention(form, deep)
        layer.build(features.shape)
        layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
        np.testing.assert_allclose(layer(features), expected, rtol=1e-6)


def test_batch_normalisation_follows_training(features):
    layer = AGeMAttention(deep=True)
    layer(features)
    before = [w.numpy() for w in layer.non_trainable_weights]
    layer(features, training=False)
    assert all((w.numpy() == b).all() for w, b in zip(layer.non_trainable_weights, before, strict=True))
    layer(features, training=True)
    assert any((w.numpy() != b).any() for w, b in zip(layer.non_trainable_weights, before, strict=True))


@pytest.mark.parametrize(("channels", "parameters"), [(2048, 4_196_352), (512, 262_656)])
def test_parameters(channels, parameters):
    layer = AGeMAttention()
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters


def test_widths_of_the_deep_unit():
    layer = AGeMAttention(deep=True)
    layer.build([None, None, None, 64])
    kernels = [tuple(w.shape) for w in layer.weights if len(w.shape) == 4]
    assert kernels == [(3, 3, 64, 32), (3, 3, 32, 16), (1, 1, 16, 16), (1, 1, 16, 64)]


def test_unknown_form():
    with pytest.raises(ValueError, match="expected form 'product' or 'sum'; received 'mean'"):
        AGeMAttention("mean")


def test_contract_of_the_deep_sum(check_layer, features, tmp_path):
    check_layer(lambda **kwargs: AGeMAttention("sum", deep=True, **kwargs), features, tmp_path)
