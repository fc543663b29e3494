"""Examples in the docstrings of layers, losses, metrics, backbones and models."""

import doctest
import importlib
import pkgutil

import pytest

PACKAGES = [importlib.import_module(f"landmark_zoo.{name}")
            for name in ("backbones", "layers", "losses", "metrics", "models")]
MODULES = [package.__name__ for package in PACKAGES] + [
    module.name for package in PACKAGES for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
