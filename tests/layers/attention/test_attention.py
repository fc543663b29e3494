"""What holds for every row of the attention table."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers import attention
from landmark_zoo.layers.attention import ATTENTION
from tests.contracts.layer import check_layer

SUPPORT = {"__init__", "base", "chunked", "method", "taxonomy"}


@pytest.fixture
def features():
    """A map of odd, unequal sides, non-negative as after a ReLU, with zeros in it."""
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 64)), 0).astype(np.float32)


@pytest.mark.parametrize("name", ATTENTION)
def test_contract(name, features, tmp_path):
    check_layer(ATTENTION[name].create, features, tmp_path)


@pytest.mark.parametrize("name", ATTENTION)
def test_shape_is_kept_and_maps_broadcast(name, features):
    attended, maps = ATTENTION[name].create(return_maps=True)(features)
    assert attended.shape == features.shape
    assert maps, "no attention map"
    for attention_map in maps.values():
        assert np.broadcast_shapes(attention_map.shape, features.shape) == features.shape
        assert np.isfinite(attention_map).all()


@pytest.mark.parametrize("name", ATTENTION)
def test_other_sizes_after_building(name, features):
    layer = ATTENTION[name].create()
    layer(features)
    for height, width in ((4, 9), (12, 8)):
        assert layer(np.ones((1, height, width, 64), np.float32)).shape == (1, height, width, 64)


@pytest.mark.parametrize("name", ATTENTION)
def test_constant_map_stays_finite(name):
    layer = ATTENTION[name].create()
    for value in (0.0, 1.0, 100.0):
        assert np.isfinite(layer(np.full((1, 7, 5, 64), value, np.float32))).all()


@pytest.mark.parametrize("shape", [(2, 7, 5), (2, 7, 5, 64, 1)])
@pytest.mark.parametrize("name", ATTENTION)
def test_wrong_rank_is_refused(name, shape):
    with pytest.raises(ValueError, match="expected"):
        ATTENTION[name].create()(np.ones(shape, np.float32))


@pytest.mark.parametrize("name", ATTENTION)
def test_row_is_complete(name):
    method = ATTENTION[name]
    assert method.quadrant
    assert any(character.isdigit() for character in method.paper), "a year"
    assert name == method.name
    for part in ("Args:", "Input shape"):
        assert part in method.layer.__doc__


def test_every_file_has_a_row_and_every_row_a_file():
    folder = Path(attention.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - SUPPORT
    used = {ATTENTION[name].layer.__module__.rsplit(".", 1)[1] for name in ATTENTION}
    assert used == files


def test_maps_are_returned_on_request_only(features):
    assert isinstance(ATTENTION["se"].create()(features), tf.Tensor)
