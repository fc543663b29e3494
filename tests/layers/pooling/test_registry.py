"""What holds for every row of the pooling table."""

import functools
import inspect

import numpy as np
import pytest

from landmark_zoo.layers.pooling.global_pooling import Pooling
from landmark_zoo.layers.pooling.registry import POOLING
from tests.contracts.layer import check_half_precision_at_scale, layers_below


@pytest.fixture
def features():
    """A map of odd, unequal sides, non-negative as after a ReLU, with zeros in it."""
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


@pytest.mark.parametrize("name", POOLING)
def test_contract(check_layer, name, features, tmp_path):
    check_layer(POOLING[name], features, tmp_path)


@pytest.mark.parametrize("policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", POOLING)
def test_activations_up_to_a_hundred_in_half_precision(name, policy):
    check_half_precision_at_scale(POOLING[name], policy)


@pytest.mark.parametrize("name", POOLING)
def test_vector_of_any_map(name):
    layer = POOLING[name]()
    for height, width in ((7, 5), (4, 9), (1, 1), (1, 6), (2, 2)):
        vector = layer(np.ones((2, height, width, 32), np.float32))
        assert vector.shape.rank == 2
        assert np.isfinite(vector).all()


@pytest.mark.parametrize("name", POOLING)
def test_an_image_does_not_depend_on_its_batch(name, features):
    layer = POOLING[name]()
    np.testing.assert_allclose(layer(features)[:1], layer(features[:1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", POOLING)
def test_a_map_of_zeros_stays_finite(name):
    assert np.isfinite(POOLING[name]()(np.zeros((1, 7, 5, 32), np.float32))).all()


@pytest.mark.parametrize("name", POOLING)
def test_wrong_rank_is_refused(name):
    with pytest.raises(ValueError, match=r"expected \[batch, height, width, .*received shape \(2, 7, 5\)"):
        POOLING[name]()(np.ones((2, 7, 5), np.float32))


def test_every_layer_has_a_row():
    rows = {row.func if isinstance(row, functools.partial) else row for row in POOLING.values()}
    own = {kind for kind in layers_below(Pooling) if kind.__module__.startswith("landmark_zoo.")}
    assert {kind for kind in own if not inspect.isabstract(kind)} == rows
