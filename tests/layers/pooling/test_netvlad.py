"""NetVLAD against numbers worked out by hand, loops, and the start of the authors."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.pooling.netvlad import NetVLAD, sharpness
from landmark_zoo.layers.registry import POOLING
from landmark_zoo.models.inspection import multiply_accumulates

THREE = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32).reshape(1, 3, 1, 2)
AXES = np.eye(2, dtype=np.float32)


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 6)).astype(np.float32)


def started(clusters=2, channels=2, centres=AXES, alpha=1.0, **arguments):
    layer = NetVLAD(clusters, **arguments)
    layer.build([None, None, None, channels])
    layer.set_centers(centres, alpha)
    return layer


def by_loops(features, kernel, bias, centres, masks=None):
    vectors = []
    for b, image in enumerate(features):
        total = np.zeros_like(centres)
        for i in range(image.shape[0]):
            for j in range(image.shape[1]):
                x = image[i, j] / np.linalg.norm(image[i, j])
                weights = np.exp(x @ kernel + bias)
                weights /= weights.sum()
                if masks is not None:
                    weights = weights * masks[b, i, j, 0]
                for k, center in enumerate(centres):
                    total[k] += weights[k] * (x - center)
        total /= np.linalg.norm(total, axis=1, keepdims=True)
        vectors.append(total.ravel() / np.linalg.norm(total))
    return vectors


def test_worked_out_by_hand():
    layer = started()
    np.testing.assert_allclose(layer(THREE), [[-0.37921, 0.596824, 0.632597, -0.315945]], atol=1e-5)
    assignments = tf.nn.softmax(tf.tensordot(THREE, layer.kernel, 1) + layer.bias)
    np.testing.assert_allclose(np.squeeze(assignments), [[0.880797, 0.119203], [0.119203, 0.880797],
                                                         [0.401312, 0.598688]], atol=1e-6)


def test_sharp_assignment_leaves_the_first_cluster_without_residual():
    np.testing.assert_allclose(started(alpha=1000.0)(THREE), [[0, 0, 0.948683, -0.316228]], atol=1e-5)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_equals_loops(features, version):
    layer = NetVLAD(4, version)
    layer.build(features.shape)
    random = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(random.standard_normal(weight.shape))
    bias = layer.bias.numpy() if version == "v2" else 0
    np.testing.assert_allclose(layer(features), by_loops(features, layer.kernel.numpy(), bias, layer.centres.numpy()),
                               rtol=1e-4, atol=1e-5)


def test_contextual_reweighting_of_the_table_has_no_bias():
    assert POOLING["netvlad_crn"]().version == "v1"
    assert POOLING["netvlad"]().version == "v2"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_mask_multiplies_the_assignments(features, version):
    features = np.abs(features)
    layer = NetVLAD(4, version, crn=True)
    layer.build(features.shape)
    masks = layer.context.mask(features).numpy()
    assert masks.std() > 0
    bias = layer.bias.numpy() if version == "v2" else 0
    expected = by_loops(features, layer.kernel.numpy(), bias, layer.centres.numpy(), masks)
    np.testing.assert_allclose(layer(features), expected, rtol=1e-4, atol=1e-5)


def test_mask_is_computed_from_features_that_are_not_normalized(features):
    layer = NetVLAD(4, crn=True)
    layer.build(features.shape)
    layer.context.bias.assign([-1000.0])
    weak, strong = (np.linalg.norm(layer(scale * np.abs(features)), axis=1) for scale in (1, 1000))
    np.testing.assert_allclose(weak, 0)
    np.testing.assert_allclose(strong, 1, rtol=1e-5)


def test_one_cluster_gives_the_direction_of_the_residuals(features):
    center = np.full((1, 6), 0.3, np.float32)
    layer = started(1, 6, center, 2.0)
    expected = (features / np.linalg.norm(features, axis=-1, keepdims=True) - 0.3).sum(axis=(1, 2))
    np.testing.assert_allclose(layer(features), expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-4,
                               atol=1e-5)


def test_a_cluster_without_residual_is_zero_and_has_a_finite_gradient():
    x = tf.constant([[[[1.0, 0.0]]]])
    layer = started(alpha=1000.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        vector = layer(x)
    np.testing.assert_allclose(vector, 0, atol=1e-6)
    assert np.isfinite(tape.gradient(vector, x)).all()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_after_the_start_locations_go_to_the_nearest_center(features, version):
    unit = (features / np.linalg.norm(features, axis=-1, keepdims=True)).reshape(-1, 6)
    layer = NetVLAD(3, version)
    layer.fit(features.reshape(-1, 6))
    centres = layer.centres.numpy()
    if version == "v2":
        nearest = np.argmin(((unit[:, None] - centres) ** 2).sum(axis=-1), axis=1)
        logits = unit @ layer.kernel.numpy() + layer.bias.numpy()
    else:
        nearest = np.argmax(unit @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T, axis=1)
        logits = unit @ layer.kernel.numpy()
    np.testing.assert_array_equal(np.argmax(logits, axis=1), nearest)
    top = np.sort(logits, axis=1)
    np.testing.assert_allclose(np.mean(top[:, -1] - top[:, -2]), np.log(100), rtol=1e-4)


def test_start_finds_clusters():
    random = np.random.default_rng(0)
    vectors = np.repeat(np.eye(4), 50, axis=0)[:150] + 0.02 * random.standard_normal((150, 4))
    layer = NetVLAD(3)
    layer.fit(7 * vectors)
    assert sorted(layer.centres.numpy().argmax(axis=1)) == [0, 1, 2]
    np.testing.assert_allclose(np.max(layer.centres, axis=1), 1, atol=0.01)


def test_centers_learn_apart_from_the_assignment():
    layer = started()
    kernel = layer.kernel.numpy()
    layer.centres.assign(layer.centres + 1)
    np.testing.assert_array_equal(layer.kernel, kernel)


@pytest.mark.parametrize(("version", "channels", "parameters"), [
    ("v1", 512, 65_536), ("v1", 2048, 262_144), ("v2", 512, 65_600), ("v2", 2048, 262_208)])
def test_parameters(version, channels, parameters):
    layer = NetVLAD(version=version)
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters
    assert layer.compute_output_shape([None, None, None, channels]) == [None, 64 * channels]


def test_multiply_accumulates():
    layer = NetVLAD(version="v1")
    layer.build([1, 7, 5, 32])
    assert multiply_accumulates(layer, tf.TensorSpec([1, 7, 5, 32])) == 2 * 35 * 32 * 64


@pytest.mark.parametrize("arguments", [{"clusters": 3}, {"clusters": 3, "version": "v1"}, {"clusters": 3, "crn": True}])
def test_contract(check_layer, arguments, features, tmp_path):
    check_layer(lambda **keras: NetVLAD(**arguments, **keras), np.abs(features), tmp_path)


def test_faults():
    with pytest.raises(ValueError, match="version 'v1' or 'v2'; received clusters=64, version='v3'"):
        NetVLAD(version="v3")
    with pytest.raises(ValueError, match=r"expected centres of shape \(2, 2\); received \(3, 2\)"):
        started(centres=np.ones((3, 2)))
    with pytest.raises(ValueError, match="expected at least 2 centres; received 1"):
        sharpness(np.ones((5, 2)), np.ones((1, 2)))
