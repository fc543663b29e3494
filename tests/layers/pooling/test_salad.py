"""SALAD against numbers worked out by hand, and against loops in NumPy."""

from fractions import Fraction

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.pooling.salad import SALAD, shape_of_map, transport
from landmark_zoo.layers.registry import POOLING
from landmark_zoo.models.inspection import multiply_accumulates

SMALL = {"clusters": 3, "cluster_dim": 4, "token_dim": 5, "hidden": 6}


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 8)).astype(np.float32)


def plan(scores, dustbin, rounds=3):
    """Scales rows and columns of exp(scores) in turn, in 64 bits; [m, n] without the dustbin's row."""
    clusters, locations = len(scores), scores.shape[1]
    share = 1 if locations > clusters else locations / (clusters + 1)
    found = np.exp(np.concatenate([scores, np.full((1, locations), dustbin)]).astype(np.float64))
    for _ in range(rounds):
        for row, mass in zip(found, [*[share] * clusters, locations - share * clusters], strict=True):
            row *= mass / row.sum()
        for column in found.T:
            column /= column.sum()
    return found[:-1]


def by_loops(layer, image, token):
    """The vector of one image [H, W, C] by loops over its locations and the clusters."""
    def mlp(name, x):
        first, last = getattr(layer, name)
        kernels = [np.reshape(each.kernel, each.kernel.shape[-2:]) for each in (first, last)]
        return np.maximum(x @ kernels[0] + first.bias.numpy(), 0) @ kernels[1] + last.bias.numpy()

    locations = image.reshape(-1, image.shape[-1])
    shares = plan(np.stack([mlp("score", x) for x in locations], axis=1), float(layer.dustbin))
    columns = []
    for cluster in shares:
        total = sum(share * mlp("cluster_features", x) for share, x in zip(cluster, locations, strict=True))
        columns.append(total / np.linalg.norm(total))
    scene = mlp("token_features", token)
    vector = np.concatenate([scene / np.linalg.norm(scene), np.stack(columns, axis=1).ravel()])
    return vector / np.linalg.norm(vector)


def randomized(layer, inputs):
    layer(inputs)
    draw = np.random.default_rng(1)
    layer.set_weights([0.5 * draw.standard_normal(weight.shape) for weight in layer.weights])
    return layer


def test_one_cluster_and_two_locations_by_hand():
    """Scores ln 3 and 0 and a dustbin of 0: exp gives rows (3, 1) and (1, 1), each of mass 1.

    Rows: 1/4, 1/2. Columns: 3/4 + 1/2 = 5/4, 1/4 + 1/2 = 3/4. After three rounds the cluster has 45/71 and 15/41.
    """
    rows = [[Fraction(3), Fraction(1)], [Fraction(1), Fraction(1)]]
    for _ in range(3):
        rows = [[value / sum(row) for value in row] for row in rows]
        columns = [sum(column) for column in zip(*rows, strict=True)]
        rows = [[value / total for value, total in zip(row, columns, strict=True)] for row in rows]
    assert rows[0] == [Fraction(45, 71), Fraction(15, 41)]
    np.testing.assert_allclose(transport(tf.constant([[[np.log(3)], [0]]], tf.float32), 0.0)[0, :, 0], [45 / 71, 15 / 41],
                               atol=1e-6)
    np.testing.assert_allclose(transport(tf.constant([[[np.log(3)], [0]]], tf.float32), 0.0, rounds=1)[0, :, 0],
                               [3 / 5, 1 / 3], atol=1e-6)


@pytest.mark.parametrize("locations", [35, 4, 3, 2, 1])
def test_masses(locations):
    scores = np.random.default_rng(0).standard_normal((2, locations, 3)).astype(np.float32)
    shares = transport(scores, 1.0).numpy()
    for found, image in zip(shares, scores, strict=True):
        np.testing.assert_allclose(found, plan(image.T, 1.0).T, atol=1e-5)
    settled = transport(scores, 1.0, rounds=100).numpy()
    assert (settled.sum(axis=2) < 1).all()
    np.testing.assert_allclose(settled.sum(axis=1), min(1, locations / 4), atol=1e-3)


def test_few_locations_follow_on_from_many():
    """At one location more than clusters both rules share the same: each cluster and the dustbin get 1."""
    scores = np.zeros((1, 4, 3), np.float32)
    np.testing.assert_allclose(transport(scores, 0.0), np.full((1, 4, 3), 1 / 4), atol=1e-6)
    np.testing.assert_allclose(transport(scores[:, :3], 0.0), np.full((1, 3, 3), 1 / 4), atol=1e-6)


def test_scores_far_apart_stay_finite():
    scores = np.array([[[500.0, -500], [0, 0], [-500, 500]]], np.float32)
    assert np.isfinite(transport(scores, 1.0)).all()
    np.testing.assert_allclose(transport(scores, 1.0, rounds=100)[0], [[1, 0], [0, 0], [0, 1]], atol=0.01)


@pytest.mark.parametrize("given", [True, False])
def test_vector_by_loops(features, given):
    token = np.random.default_rng(3).standard_normal((2, 8)).astype(np.float32)
    layer = randomized(SALAD(**SMALL), features)
    found = layer([features, token] if given else features)
    for vector, image, own in zip(found, features, token if given else features.mean(axis=(1, 2)), strict=True):
        np.testing.assert_allclose(vector, by_loops(layer, image, own), atol=2e-6)


def test_the_score_of_the_dustbin_changes_nothing(features):
    layer = randomized(SALAD(**SMALL), features)
    before = layer(features)
    layer.dustbin.assign_add(3.0)
    np.testing.assert_allclose(layer(features), before, atol=1e-6)
    assert "dust_bin" not in " ".join(weight.name for weight in layer.trainable_weights)


def test_dropout_only_while_training(features):
    layer = randomized(SALAD(dropout=0.5, **SMALL), features)
    np.testing.assert_array_equal(layer(features), layer(features))
    assert np.abs(layer(features, training=True) - layer(features, training=True)).max() > 1e-3


def test_parts_of_a_torch_file_are_in_the_order_of_the_weights(features):
    layer = randomized(SALAD(**SMALL), features)
    assert len(layer.torch_parts) == len(layer.weights)
    for (name, axes), weight in zip(layer.torch_parts, layer.weights, strict=True):
        assert len(axes) == len(weight.shape), name
        branch, number, part = name.split(".") if "." in name else ("dust_bin", "0", "dust_bin")
        own = layer.dustbin if branch == "dust_bin" else getattr(
            getattr(layer, branch)[number != "0"], "kernel" if part == "weight" else "bias")
        assert own is weight


def test_sizes():
    layer = POOLING["salad"]()
    layer.build([None, None, None, 768])
    assert layer.count_params() == 1 + 3 * (768 * 512 + 512) + (512 + 1) * (256 + 128 + 64)
    assert layer.compute_output_shape([None, None, None, 768]) == [None, 8448]
    assert layer.compute_output_shape([tf.TensorShape([2, None, None, 768]), tf.TensorShape([2, 768])]) == [2, 8448]
    assert shape_of_map([[1, 2, 3, 4], [1, 4]]) == [1, 2, 3, 4]


def test_multiply_accumulates():
    layer = SALAD(**SMALL)
    layer.build([1, 7, 5, 8])
    assert multiply_accumulates(layer, tf.TensorSpec([1, 7, 5, 8])) == (
        35 * (2 * 8 * 6 + 6 * (4 + 3)) + 8 * 6 + 6 * 5 + 35 * 3 * 4)


def test_contract(check_layer, features, tmp_path):
    check_layer(lambda **keras: SALAD(**SMALL, **keras), features, tmp_path)


def test_two_inputs_are_kept_in_a_file(features, tmp_path):
    token = np.ones((2, 8), np.float32)
    inputs = tf.keras.Input([None, None, 8]), tf.keras.Input([8])
    model = tf.keras.Model(inputs, randomized(SALAD(**SMALL), features)(list(inputs)))
    model.save(tmp_path / "salad.keras")
    np.testing.assert_allclose(tf.keras.models.load_model(tmp_path / "salad.keras")([features, token]),
                               model([features, token]), atol=1e-6)


def test_faults():
    with pytest.raises(ValueError, match="0 <= dropout < 1; received 64, 128, 256, 512 and 1"):
        SALAD(dropout=1)
    with pytest.raises(ValueError, match="clusters, cluster_dim, token_dim and hidden >= 1"):
        SALAD(clusters=0)


def test_weights_have_names_of_their_own(features):
    layer = SALAD(**SMALL)
    layer(features)
    assert len({weight.name for weight in layer.weights}) == 13
