"""Tables of names."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.registry import Registry, natural_key


@pytest.fixture
def models():
    registry = Registry("model")
    for name in ("resnet101_se", "resnet50_se", "vgg16_gem"):
        registry.add(name, name.upper())
    return registry


def test_lists_by_pattern_in_natural_order(models):
    assert models.list("*_se") == ["resnet50_se", "resnet101_se"]
    assert models["vgg16_gem"] == "VGG16_GEM"
    assert len(models) == 3


def test_a_name_is_given_once(models):
    with pytest.raises(ValueError, match="Expected a new model name"):
        models.add("vgg16_gem", "other")


def test_unknown_names_get_near_ones(models):
    with pytest.raises(UserError, match=r"received 'resnet101_es'\. Use one of: resnet101_se"):
        models["resnet101_es"]
    assert "absent" not in models


def test_digits_sort_as_numbers():
    assert sorted(["c10", "c9", "b"], key=natural_key) == ["b", "c9", "c10"]
