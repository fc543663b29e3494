"""The global context block against loops and numbers worked out by hand."""


import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.gc import GlobalContext, spatial_softmax

X0 = (0.1 * np.arange(1, 17)).reshape(1, 2, 2, 4).astype(np.float32)


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 32)).astype(np.float32)


def randomised(layer, channels):
    layer.build([None, None, None, channels])
    random = np.random.default_rng(1)
    layer.set_weights([random.standard_normal(w.shape) for w in layer.get_weights()])
    return layer


def by_loops(features, layer):
    mask, mask_bias = (w.numpy() for w in layer.mask.weights)
    w1, b1 = (w.numpy() for w in layer.squeeze.weights)
    gamma, beta = (w.numpy() for w in layer.norm.weights)
    w2, b2 = (w.numpy() for w in layer.excite.weights)
    attended = np.empty_like(features)
    for b, image in enumerate(features):
        pixels = [image[i, j] for i in range(image.shape[0]) for j in range(image.shape[1])]
        weights = [np.exp(pixel @ mask[0, 0, :, 0] + mask_bias[0]) for pixel in pixels]
        context = sum(w * pixel for w, pixel in zip(weights, pixels, strict=True)) / sum(weights)
        hidden = context @ w1 + b1
        hidden = gamma * (hidden - hidden.mean()) / np.sqrt(hidden.var() + 1e-5) + beta
        transformed = np.maximum(hidden, 0) @ w2 + b2
        attended[b] = image + transformed if layer.fusion == "add" else image / (1 + np.exp(-transformed))
    return attended


@pytest.mark.parametrize("fusion", ["add", "mul"])
def test_equals_loops(fusion, features):
    layer = randomised(GlobalContext(fusion, reduction=4), 32)
    np.testing.assert_allclose(layer(features), by_loops(features, layer), rtol=1e-5, atol=1e-5)


def test_add_starts_as_identity(features):
    np.testing.assert_array_equal(GlobalContext("add")(features), features)


def test_mul_starts_at_one_half(features):
    np.testing.assert_array_equal(GlobalContext("mul")(features), 0.5 * features)


def test_softmax_worked_out_by_hand():
    weights = spatial_softmax(X0[..., :1])
    np.testing.assert_allclose(np.ravel(weights), [0.124417, 0.185608, 0.276895, 0.413079], atol=1e-6)
    context = np.sum(weights * X0, axis=(1, 2))[0]
    np.testing.assert_allclose(context, [0.891455, 0.991455, 1.091455, 1.191455], atol=1e-6)


def test_zero_mask_weighs_as_a_plain_mean(features):
    layer = GlobalContext(return_maps=True)
    layer.build(features.shape)
    layer.mask.set_weights([np.zeros((1, 1, 32, 1)), np.ones(1)])
    _, maps = layer(features)
    np.testing.assert_allclose(maps["context"], np.ones((2, 7, 5, 1)), rtol=1e-6)


def test_maps_of_each_fusion(features):
    assert set(GlobalContext("add", return_maps=True)(features)[1]) == {"context"}
    maps = GlobalContext("mul", return_maps=True)(features)[1]
    assert maps["context"].shape == (2, 7, 5, 1)
    assert maps["gc"].shape == (2, 1, 1, 32)
    np.testing.assert_allclose(np.mean(maps["context"], axis=(1, 2, 3)), 1, rtol=1e-6)


@pytest.mark.parametrize(("channels", "reduction", "parameters"),
                         [(2048, 16, 528_769), (512, 16, 33_889), (2048, 4, 2_102_785), (512, 4, 132_481)])
def test_parameters(channels, reduction, parameters):
    layer = GlobalContext(reduction=reduction)
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters


def test_softmax_over_a_large_map_in_half_precision():
    layer = GlobalContext(return_maps=True, dtype="mixed_float16")
    attended, maps = layer(tf.random.stateless_normal([1, 64, 48, 32], (0, 0), dtype=tf.float16) * 100)
    assert np.isfinite(attended).all()
    np.testing.assert_allclose(np.mean(maps["context"]), 1, rtol=1e-4)


def test_a_single_hidden_unit_is_refused():
    with pytest.raises(ValueError, match=r"channels >= 32\]; received shape \(None, 7, 5, 16\)"):
        GlobalContext(reduction=16).build([None, 7, 5, 16])


@pytest.mark.parametrize("arguments", [{"fusion": "both"}, {"reduction": 0}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="expected fusion 'add' or 'mul' and reduction >= 1; received"):
        GlobalContext(**arguments)
