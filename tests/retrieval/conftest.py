"""A tiny exported model and a few painted pictures."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.retrieval.saved_model import EmbeddingModel

_TINY = Path(__file__).with_name("tiny_saved_model.py")


@pytest.fixture(scope="session")
def write_model():
    """The function that writes a tiny SavedModel."""
    return runpy.run_path(str(_TINY))["write_tiny_saved_model"]


@pytest.fixture(scope="session")
def tiny_path(write_model, tmp_path_factory) -> Path:
    """A tiny exported model: `tiny/1`."""
    return write_model(tmp_path_factory.mktemp("models") / "tiny" / "1").parent


@pytest.fixture(scope="session")
def tiny_model(tiny_path) -> EmbeddingModel:
    """The same, loaded."""
    return EmbeddingModel(tiny_path)


@pytest.fixture
def paint(tmp_path):
    """A function that writes a picture whose quarters have four random colours."""
    def write(name: str, seed: int, size: tuple[int, int] = (64, 48), **options) -> Path:
        colours = np.random.default_rng(seed).integers(30, 226, [2, 2, 3], np.uint8)
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(colours).resize(size, Image.Resampling.NEAREST).save(path, **options)
        return path
    return write
