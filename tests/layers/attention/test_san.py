"""SAN's self-attention against loops, box means and numpy's reflection."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.layers.attention.san import (
    KINDS,
    SHARINGS,
    SANBlock,
    SelfAttentionModule,
    aggregate,
    neighbors,
    reflect,
)

RANDOM = np.random.default_rng(0)
FEATURES = np.maximum(RANDOM.standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def variables(layer):
    """Its weights by "part/weight"."""
    kinds = (tf.keras.layers.Conv2D, tf.keras.layers.BatchNormalization)
    return {f"{part.name}/{w.name}": w for part in layer.submodules if isinstance(part, kinds) for w in part.weights}


def assign(layer, weights):
    for name, variable in variables(layer).items():
        variable.assign(weights[name])


def randomised(layer):
    """Builds the layer and gives it random weights, positive where they are variances; returns them."""
    layer.build([None, None, None, 32])
    weights = {name: RANDOM.standard_normal(w.shape).astype(np.float32) / 3 for name, w in variables(layer).items()}
    weights |= {name: np.abs(value) + 0.5 for name, value in weights.items() if "variance" in name}
    assign(layer, weights)
    return weights


def padded(image, border):
    return np.pad(image, ((border, border), (border, border), (0, 0)), mode="reflect")


def conv(x, weights, name):
    return x @ weights[f"{name}/kernel:0"][0, 0] + weights.get(f"{name}/bias:0", 0)


def norm_relu(x, weights, name):
    scale = weights[f"{name}/gamma:0"] / np.sqrt(weights[f"{name}/moving_variance:0"] + 1e-5)
    return np.maximum(scale * (x - weights[f"{name}/moving_mean:0"]) + weights[f"{name}/beta:0"], 0)


def by_loops(image, weights, kind, k, share, sharing="modulo"):
    height, width = image.shape[:2]
    phi, psi, beta = (conv(image, weights, name) for name in ("phi", "psi", "beta"))
    places = np.stack(np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height)), axis=-1)
    psi, beta = padded(psi, k // 2), padded(beta, k // 2)
    attended = np.zeros((height, width, beta.shape[-1]))
    if kind == "pairwise":
        places = conv(places, weights, "position")
        around = padded(places, k // 2)
    for y in range(height):
        for x in range(width):
            footprint = [(y + i, x + j) for i in range(k) for j in range(k)]
            if kind == "pairwise":
                seen = np.array([np.concatenate([phi[y, x] - psi[j], places[y, x] - around[j]]) for j in footprint])
            else:
                around_here = [psi[j] for j in footprint]
                if sharing == "modulo":
                    around_here = [[of_one[c] for of_one in around_here] for c in range(psi.shape[-1])]
                seen = np.concatenate([phi[y, x], *around_here])
            hidden = conv(norm_relu(seen, weights, "norm_1"), weights, "mix")
            share_of = conv(norm_relu(hidden, weights, "norm_2"), weights, "weigh")
            by_channel = kind == "patchwise" and sharing == "modulo"
            share_of = share_of.reshape(-1, k * k).T if by_channel else share_of.reshape(k * k, -1)
            if kind == "pairwise":
                share_of = np.exp(share_of) / np.exp(share_of).sum(axis=0)
            groups = beta.shape[-1] // share
            for j, place in enumerate(footprint):
                for c in range(beta.shape[-1]):
                    attended[y, x, c] += share_of[j, c % groups if sharing == "modulo" else c // share] * beta[place][c]
    return attended


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sharing", SHARINGS)
@pytest.mark.parametrize(("kernel_size", "filters"), [(3, 12), (7, None)])
def test_equals_loops(kind, kernel_size, filters, sharing):
    layer = SelfAttentionModule(kind, filters, kernel_size, share=4, sharing=sharing)
    weights = randomised(layer)
    expected = [by_loops(image, weights, kind, kernel_size, 4, sharing) for image in FEATURES]
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", [SelfAttentionModule, SANBlock])
def test_a_configuration_without_sharing_shares_by_block(layer):
    assert layer.from_config(layer().get_config()).sharing == "modulo"
    older = {key: value for key, value in layer().get_config().items() if key != "sharing"}
    assert layer.from_config(older).sharing == "block"
    nested = SANBlock.from_config({key: value for key, value in SANBlock().get_config().items() if key != "sharing"})
    assert nested.attention.sharing == "block"


@pytest.mark.parametrize("kind", KINDS)
def test_block_is_the_module_between_two_normalisations_and_a_residual(kind):
    block = SANBlock(kind, kernel_size=3)
    weights = randomised(block)
    before = norm_relu(FEATURES, weights, "norm_in")
    attended = np.array([by_loops(image, weights, kind, 3, 8) for image in before])
    expected = FEATURES + conv(norm_relu(attended, weights, "norm_out"), weights, "expand")
    np.testing.assert_allclose(block(FEATURES), expected, rtol=1e-5, atol=1e-5)


def test_pairwise_without_preference_is_a_box_mean():
    layer = SelfAttentionModule("pairwise", return_maps=True)
    weights = randomised(layer)
    weights["weigh/kernel:0"][:] = 0
    assign(layer, weights)
    attended, maps = layer(FEATURES)
    beta = np.array([padded(image, 3) for image in conv(FEATURES, weights, "beta")])
    expected = [[beta[:, y:y + 7, x:x + 7].mean(axis=(1, 2)) for x in range(5)] for y in range(7)]
    np.testing.assert_allclose(attended, np.transpose(expected, (2, 0, 1, 3)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(maps["san_pairwise"], np.ones((2, 7, 5, 1)), rtol=1e-5)


def test_patchwise_on_the_center_is_beta():
    layer = SelfAttentionModule("patchwise", kernel_size=3)
    weights = randomised(layer)
    weights["weigh/kernel:0"][:] = 0
    weights["weigh/bias:0"][:] = np.eye(9)[4]  # of the one group
    assign(layer, weights)
    np.testing.assert_allclose(layer(FEATURES), conv(FEATURES, weights, "beta"), rtol=1e-5, atol=1e-5)


def test_a_location_that_all_prefer_receives_most():
    layer = SelfAttentionModule("pairwise", kernel_size=3, return_maps=True)
    layer.build([None, None, None, 32])
    for part, value in (("phi", 0), ("psi", -1), ("mix", 1), ("weigh", 1), ("position", 0)):
        kernel = variables(layer)[f"{part}/kernel:0"]
        kernel.assign(tf.fill(kernel.shape, float(value)))
    features = np.zeros((1, 5, 5, 32), np.float32)
    features[0, 2, 2] = 1
    _, maps = layer(features)
    received = maps["san_pairwise"][0, :, :, 0].numpy()
    assert np.unravel_index(received.argmax(), received.shape) == (2, 2)
    assert received.max() > 2


@pytest.mark.parametrize(("kind", "channels", "parameters"), [
    ("pairwise", 2048, 1_599_050), ("pairwise", 512, 100_250),
    ("patchwise", 2048, 2_200_000), ("patchwise", 512, 140_656)])
def test_parameters(kind, channels, parameters):
    module, block = SelfAttentionModule(kind), SANBlock(kind)
    for layer in (module, block):
        layer.build([None, None, None, channels])
    count = sum(int(tf.size(w)) for w in module.trainable_weights)
    assert count == parameters
    around = channels**2 // 4 + channels + 2 * channels + 2 * channels // 4
    assert sum(int(tf.size(w)) for w in block.trainable_weights) == parameters + around


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 5), width=st.integers(1, 5), border=st.integers(0, 9))
def test_reflection_is_numpys_for_any_size(height, width, border):
    features = RANDOM.standard_normal((2, height, width, 3)).astype(np.float32)
    edges = ((0, 0), (border, border), (border, border), (0, 0))
    np.testing.assert_array_equal(reflect(features, border), np.pad(features, edges, mode="reflect"))


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (3, 3), (2, 9)])
@pytest.mark.parametrize("kind", KINDS)
def test_maps_smaller_than_the_footprint(kind, size):
    attended = SANBlock(kind)(FEATURES[:, :1, :1] * np.ones((1, *size, 1), np.float32))
    assert attended.shape == (2, *size, 32)
    assert np.isfinite(attended).all()


def test_neighbors_go_row_by_row():
    features = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    np.testing.assert_array_equal(neighbors(features, 3)[0, 1, 1, :, 0], [0, 1, 2, 4, 5, 6, 8, 9, 10])
    np.testing.assert_array_equal(neighbors(features, 3)[0, 0, 0, :, 0], [5, 4, 5, 1, 0, 1, 5, 4, 5])


@pytest.mark.parametrize(("sharing", "second"), [("modulo", [0, 1, 0, 1, 0, 1]), ("block", [0, 0, 0, 1, 1, 1])])
def test_channels_that_share_a_weight(sharing, second):
    weights = np.zeros((1, 2, 2, 1, 2), np.float32)
    weights[..., 1] = 1
    values = RANDOM.standard_normal((1, 2, 2, 6)).astype(np.float32)
    np.testing.assert_array_equal(aggregate(weights, values, 1, sharing=sharing), values * second)


def test_recomputed_gradient_is_the_same():
    weights, values = (tf.constant(RANDOM.standard_normal(shape), tf.float32)
                       for shape in ((2, 4, 3, 9, 2), (2, 4, 3, 6)))
    gradients = []
    for recompute in (False, True):
        with tf.GradientTape() as tape:
            tape.watch([weights, values])
            loss = tf.reduce_sum(aggregate(weights, values, 3, recompute)**2)
        gradients.append(tape.gradient(loss, [weights, values]))
    for plain, recomputed in zip(*gradients, strict=True):
        np.testing.assert_allclose(recomputed, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"kind": "global"}, "expected a kind of"), ({"kernel_size": 4}, "odd kernel_size"), ({"share": 0}, "share >= 1"),
    ({"sharing": "all"}, "a sharing of")])
def test_arguments_that_make_no_sense(arguments, message):
    for layer in (SelfAttentionModule, SANBlock):
        with pytest.raises(ValueError, match=message):
            layer(**arguments)


def test_channels_that_groups_cannot_share():
    with pytest.raises(ValueError, match="divisible by share=8; received 12 for C=48"):
        SANBlock().build([None, None, None, 48])


@pytest.mark.parametrize("kind", KINDS)
def test_contract_of_the_module_in_place_of_a_convolution(check_layer, kind, tmp_path):
    check_layer(lambda **kwargs: SelfAttentionModule(kind, filters=48, kernel_size=3, **kwargs), FEATURES, tmp_path)
