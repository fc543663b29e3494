"""GLAM as a whole against the paper's equation 7, its parameter counts and numbers worked out by hand."""

import numpy as np
import pytest

from landmark_zoo.layers.attention.glam import GLAM
from landmark_zoo.layers.attention.glam_global import GLAMGlobal
from landmark_zoo.layers.attention.glam_local import GLAMLocal
from tests.contracts.layer import check_layer

RANDOM = np.random.default_rng(0)
FEATURES = np.maximum(RANDOM.standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def with_zeros(shape):
    layer = GLAM()
    layer.build(shape)
    layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    return layer


def test_is_the_weighted_sum_of_both_streams_and_the_features():
    glam, local, global_ = GLAM(width=6), GLAMLocal(width=6), GLAMGlobal(width=6)
    for layer in (glam, local, global_):
        layer.build(FEATURES.shape)
    for stream, own in ((glam.local, local), (glam.global_, global_)):
        own.set_weights([RANDOM.standard_normal(w.shape).astype(np.float32) / 5 for w in own.get_weights()])
        stream.set_weights(own.get_weights())
    scalars = np.array([1, -1, 0.5], np.float32)
    glam.fusion.assign(scalars)
    weights = np.exp(scalars) / np.exp(scalars).sum()
    expected = weights[0] * local(FEATURES) + weights[1] * global_(FEATURES) + weights[2] * FEATURES
    np.testing.assert_allclose(glam(FEATURES), expected, rtol=1e-5, atol=1e-5)


def test_starts_with_equal_thirds():
    layer = GLAM(width=6)
    layer.build(FEATURES.shape)
    expected = (layer.local(FEATURES)[0] + layer.global_(FEATURES)[0] + FEATURES) / 3
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-6)


def test_zero_weights_worked_out_by_hand():
    """(1.5 F + F mean_c(F) + F) / 3."""
    pixels = np.array([[[[1, 2], [3, 4]]]], np.float32)
    np.testing.assert_allclose(with_zeros(pixels.shape)(pixels)[0, 0], [[1.333333, 2.666667], [6, 8]], rtol=1e-5)
    ones = np.ones((1, 3, 4, 16), np.float32)
    np.testing.assert_allclose(with_zeros(ones.shape)(ones), 1.166667 * ones, rtol=1e-6)


@pytest.mark.parametrize(("width", "channels", "parameters"), [
    (512, 2048, 12_591_117), (256, 2048, 4_461_581), (1024, 2048, 39_860_237),
    (512, 512, 8_657_421), (256, 512, 2_493_965), (128, 512, 788_493), (64, 512, 279_821)])
def test_parameters(width, channels, parameters):
    layer = GLAM(width)
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters


def test_four_maps():
    _, maps = GLAM(return_maps=True)(FEATURES)
    assert {name: tuple(value.shape) for name, value in maps.items()} == {
        "local_channel": (2, 1, 1, 32), "local_spatial": (2, 7, 5, 1),
        "global_channel": (2, 1, 1, 32), "global_spatial": (2, 7, 5, 1)}


def test_contract(tmp_path):
    check_layer(GLAM, FEATURES, tmp_path)
