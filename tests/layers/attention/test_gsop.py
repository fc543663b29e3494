"""Global second-order pooling against loops, worked-out numbers and the slips of the authors' code."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.layers.attention.gsop import (
    GlobalSecondOrderPooling,
    adaptive_average,
    covariance,
    resize_by_averages,
)


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 12)).astype(np.float32)


def random_layer(features, **arguments):
    random = np.random.default_rng(1)
    layer = GlobalSecondOrderPooling(return_maps=True, **arguments)
    layer.build(features.shape)
    layer.set_weights([random.uniform(0.5, 1.5, w.shape) if "variance" in w.name else
                       0.3 * random.standard_normal(w.shape) for w in layer.weights])
    return layer


def averaged(image, height, width):
    """Adaptive average pooling, cell by cell."""
    rows, columns = image.shape[:2]
    return np.array([[image[i * rows // height:math.ceil((i + 1) * rows / height),
                            j * columns // width:math.ceil((j + 1) * columns / width)].mean(axis=(0, 1))
                      for j in range(width)] for i in range(height)])


def normalized(layer, values, axis):
    gamma, beta, mean, variance = (np.reshape(w, [-1] + [1] * (values.ndim - 1 - axis)) for w in layer.weights)
    return gamma * (values - mean) / np.sqrt(variance + 1e-5) + beta


def by_loops(layer, features):
    gates = []
    for image in features:
        kernel, bias = (w.numpy() for w in layer.reduce.weights)
        reduced = normalized(layer.reduce_normalise, np.maximum(image, 0) @ kernel[0, 0] + bias, axis=2)
        if layer.along == "channel":
            samples = np.maximum(reduced, 0).reshape(-1, layer.width)
        else:
            samples = averaged(reduced, 8, 8).reshape(64, layer.width).T
        second_order = normalized(layer.row_normalise, np.cov(samples, rowvar=False, bias=True), axis=0)
        row_kernel, row_bias = (w.numpy() for w in layer.row.weights)
        rows = np.array([second_order[r] @ row_kernel[r] + row_bias[r] for r in range(len(second_order))])
        if layer.along == "position":
            rows = np.maximum(rows, 0)
        excite, excite_bias = (w.numpy() for w in layer.excite.weights)
        gate = 1 / (1 + np.exp(-(rows.reshape(-1) @ excite + excite_bias)))
        gates.append(gate[None, None] if layer.along == "channel" else
                     averaged(gate.reshape(8, 8, 1), *image.shape[:2]))
    return np.array(gates)


@pytest.mark.parametrize(("along", "rectify"), [("channel", True), ("position", True), ("position", False)])
def test_equals_loops(along, rectify, features):
    layer = random_layer(features, along=along, width=10, rectify=rectify)
    attended, maps = layer(features)
    gates = by_loops(layer, features)
    np.testing.assert_allclose(maps[f"gsop_{along}"], gates, rtol=1e-5, atol=1e-5)
    expected = gates * features
    if along == "position" and rectify:
        expected = np.maximum(expected, 0)
    np.testing.assert_allclose(attended, expected, rtol=1e-5, atol=1e-5)


def test_a_configuration_without_rectify_has_no_relu():
    config = GlobalSecondOrderPooling("position").get_config()
    assert GlobalSecondOrderPooling.from_config(config).rectify
    assert not GlobalSecondOrderPooling.from_config({key: config[key] for key in config if key != "rectify"}).rectify


def test_covariance_by_hand():
    np.testing.assert_allclose(covariance(np.array([[[1, 0], [3, 4]]], np.float32))[0], [[1, 2], [2, 4]])


def test_covariance_of_few_and_of_many_samples():
    """The authors' position path centres and divides by the wrong count unless both are equal."""
    for count in (3, 100):
        samples = np.random.default_rng(0).standard_normal((1, count, 10)).astype(np.float32) + 5
        np.testing.assert_allclose(covariance(samples)[0], np.cov(samples[0], rowvar=False, bias=True), atol=1e-5)


def test_covariance_of_half_precision_is_float32():
    """A mean of 300 over 4096 locations: a sum of squares would overflow in float16."""
    samples = 300 + np.random.default_rng(0).standard_normal((1, 4096, 4)).astype(np.float16)
    assert covariance(samples).dtype == tf.float32
    np.testing.assert_allclose(covariance(samples)[0], np.cov(samples[0].astype(np.float64), rowvar=False, bias=True),
                               atol=1e-3)


def test_constant_map_gives_a_gate_that_does_not_depend_on_it():
    layer = GlobalSecondOrderPooling(return_maps=True)
    constant = np.ones((1, 7, 5, 12), np.float32)
    np.testing.assert_allclose(layer(constant)[0], 0.5 * constant, rtol=1e-5)
    np.testing.assert_allclose(layer(100 * constant)[1]["gsop_channel"], 0.5, rtol=1e-5)


@pytest.mark.parametrize("along", ["channel", "position"])
def test_starts_near_one_half_in_training(along, features):
    gate = GlobalSecondOrderPooling(along, return_maps=True)(features, training=True)[1][f"gsop_{along}"]
    assert np.abs(gate - 0.5).max() < 0.35


@pytest.mark.parametrize(("along", "channels", "parameters"), [
    ("channel", 2048, 1_379_456), ("channel", 512, 394_880), ("position", 2048, 295_744), ("position", 512, 99_136)])
def test_parameters(along, channels, parameters):
    layer = GlobalSecondOrderPooling(along)
    layer.build([None, None, None, channels])
    assert sum(int(tf.size(weight)) for weight in layer.trainable_weights) == parameters


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 20), st.integers(1, 20))
def test_adaptive_average_equals_loops(length, bins):
    line = np.random.default_rng(0).standard_normal((length, 1, 1)).astype(np.float32)
    np.testing.assert_allclose(adaptive_average(length, bins) @ line[:, 0], averaged(line, bins, 1)[:, 0], atol=1e-6)


def test_eight_by_eight_is_left_alone():
    grid = np.random.default_rng(0).standard_normal((2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(resize_by_averages(grid, 8, 8), grid, rtol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (3, 20), (16, 8), (33, 9)])
def test_position_attention_of_any_size(size):
    layer = GlobalSecondOrderPooling("position", return_maps=True)
    attended, maps = layer(np.random.default_rng(0).standard_normal((1, *size, 6)).astype(np.float32))
    assert attended.shape == (1, *size, 6)
    assert maps["gsop_position"].shape == (1, *size, 1)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"expected along 'channel' or 'position'.*received along='both'"):
        GlobalSecondOrderPooling("both")
    with pytest.raises(ValueError, match="width >= 1; received along='channel', width=0"):
        GlobalSecondOrderPooling(width=0)
