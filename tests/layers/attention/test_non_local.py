"""The non-local block against loops, the numbers of its formula and the slips of public ports."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.chunked_attention import chunked_attention
from landmark_zoo.layers.attention.non_local import NonLocal, dot_product_attention

VARIANTS = [{"kind": "gaussian"}, {"kind": "embedded"}, {"kind": "dot"},
            {"kind": "embedded", "subsample": True}, {"kind": "gaussian", "subsample": True, "scaled": False}]
TWO = np.array([[[1, 0], [0, 2]]], np.float32)


def random_layer(features, **arguments):
    random = np.random.default_rng(1)
    layer = NonLocal(return_maps=True, **arguments)
    layer.build(features.shape)
    layer.set_weights([random.uniform(0.5, 1.5, w.shape) if "variance" in w.name else
                       0.5 * random.standard_normal(w.shape) for w in layer.weights])
    return layer


def by_loops(layer, features):
    def convolved(name, vector):
        kernel, bias = (w.numpy() for w in getattr(layer, name).weights)
        return vector @ kernel[0, 0] + bias

    attended, seen = np.zeros_like(features), np.zeros((*features.shape[:3], 1))
    gamma, beta, mean, variance = (w.numpy() for w in layer.normalise.weights)
    for b, image in enumerate(features):
        height, width = image.shape[:2]
        step = 2 if layer.subsample else 1
        keys = {(y, x): image[y:y + step, x:x + step].max(axis=(0, 1))
                for y in range(0, height, step) for x in range(0, width, step)}
        for y in range(height):
            for x in range(width):
                query = image[y, x] if layer.kind == "gaussian" else convolved("theta", image[y, x])
                scale = len(query) ** -0.5 if layer.scaled else 1
                similarity = {}
                for place, key in keys.items():
                    product = query @ (key if layer.kind == "gaussian" else convolved("phi", key))
                    similarity[place] = product if layer.kind == "dot" else np.exp(scale * product)
                total = len(keys) if layer.kind == "dot" else sum(similarity.values())
                gathered = sum(similarity[place] / total * convolved("g", key) for place, key in keys.items())
                out = convolved("out", gathered)
                attended[b, y, x] = image[y, x] + gamma * (out - mean) / np.sqrt(variance + 1e-5) + beta
                for (v, u), value in similarity.items():
                    seen[b, v:v + step, u:u + step] += value / total * len(keys) / (height * width)
    return attended, seen


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 12)), 0).astype(np.float32)


@pytest.mark.parametrize("arguments", VARIANTS, ids=str)
def test_equals_loops(arguments, features):
    layer = random_layer(features, **arguments)
    attended, maps = layer(features)
    expected, seen = by_loops(layer, features)
    np.testing.assert_allclose(attended, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(maps["non_local"], seen, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("arguments", VARIANTS[3:], ids=str)
def test_contract(check_layer, arguments, tmp_path):
    features = np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)
    check_layer(functools.partial(NonLocal, **arguments), features, tmp_path)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", ["gaussian", "embedded", "dot"])
def test_starts_as_identity(kind, training, features):
    np.testing.assert_array_equal(NonLocal(kind)(features, training=training), features)


def test_without_theta_every_location_gets_the_same(features):
    layer = random_layer(features)
    layer.theta.set_weights([np.zeros_like(w) for w in layer.theta.get_weights()])
    attended, maps = layer(features)
    added = (attended - features).numpy()
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1], added.shape), atol=1e-5)
    np.testing.assert_allclose(maps["non_local"], np.ones((2, 7, 5, 1)), rtol=1e-5)


@pytest.mark.parametrize(("scale", "expected"), [(1, [[.731059, .537883], [.017986, 1.964028]]),
                                                 (2**-0.5, [[.669762, .660476], [.055807, 1.888386]])])
def test_two_pixels_by_hand(scale, expected):
    """The second row is A x with the A of papers.md; multiplying by sqrt(d), as old mmdet did, gives .80443 first."""
    np.testing.assert_allclose(chunked_attention(TWO, TWO, TWO, scale)[0][0], expected, atol=1e-6)


def test_two_pixels_dot_product():
    attended, received = dot_product_attention(TWO, TWO, TWO)
    np.testing.assert_allclose(attended[0], [[0.5, 0], [0, 4]], atol=1e-6)
    np.testing.assert_allclose(received[0], [0.25, 1], atol=1e-6)


def test_scale_is_of_the_reduced_channels(features):
    """timm scales by the input's channels."""
    scaled, plain = random_layer(features), random_layer(features, scaled=False)
    kernel, bias = plain.theta.get_weights()
    plain.theta.set_weights([kernel * 6**-0.5, bias * 6**-0.5])
    np.testing.assert_allclose(scaled(features)[0], plain(features)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("kind", "channels", "parameters"), [
    ("embedded", 2048, 8_397_824), ("embedded", 512, 526_592), ("dot", 512, 526_592), ("gaussian", 512, 263_936)])
def test_parameters(kind, channels, parameters):
    layer = NonLocal(kind)
    layer.build([None, None, None, channels])
    assert sum(int(tf.size(weight)) for weight in layer.trainable_weights) == parameters


def test_normalisation_is_that_of_the_authors():
    layer = NonLocal()
    layer.build([None, None, None, 8])
    assert layer.normalise.epsilon == 1e-5
    assert layer.normalise.momentum == 0.9


@pytest.mark.parametrize("arguments", [{"kind": "concatenation"}, {"reduction": 0}])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match="expected kind one of gaussian, embedded, dot and reduction >= 1; received"):
        NonLocal(**arguments)


def test_too_few_channels():
    with pytest.raises(ValueError, match="channels >= 2"):
        NonLocal().build([None, 7, 5, 1])
