"""The table of whole networks."""

import inspect

import pytest

from landmark_zoo.models.build import build_model
from landmark_zoo.models.networks import NETWORKS


@pytest.mark.parametrize("name", list(NETWORKS))
def test_builders_know_the_common_arguments(name):
    row = NETWORKS[name]
    known = set(inspect.signature(row.builder).parameters)
    common = {"backbone", "num_classes", "weights", "alpha", "embedding_dim", "head", "head_arguments", "name"}
    assert common <= known & set(inspect.signature(build_model).parameters)
    assert set(row.arguments) <= known
    assert row.paper
