"""Painted photographs, and an exported model with local features."""

import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from landmark_zoo.retrieval.saved_model import EmbeddingModel


def wall(seed, height=240, width=320):
    """A photograph uint8 RGB of a wall with many corners."""
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 200, np.uint8)
    for _ in range(120):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(5, 40, 2)
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), random.integers(0, 256, 3).tolist(), -1)
    return picture


@pytest.fixture(scope="session")
def walls():
    return [wall(seed) for seed in range(4)]


@pytest.fixture(scope="session")
def local_model(tmp_path_factory):
    write = runpy.run_path(str(Path(__file__).with_name("local_saved_model.py")))["write_local_saved_model"]
    return EmbeddingModel(write(tmp_path_factory.mktemp("models") / "local" / "1"))
