"""Painted photographs, and an exported model with local features."""


import cv2
import numpy as np
import pytest

from landmark_zoo.saved_model import SavedModel
from tests.local_saved_model import write_local_saved_model


def wall(seed, height=240, width=320):
    """A photograph uint8 RGB of a wall with many corners."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), 200, np.uint8)
    for _ in range(120):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(5, 40, 2)
        cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), random.integers(0, 256, 3).tolist(), -1)
    return image


@pytest.fixture(scope="session")
def walls():
    return [wall(seed) for seed in range(4)]


@pytest.fixture(scope="session")
def local_model(tmp_path_factory):
    write = write_local_saved_model
    return SavedModel(write(tmp_path_factory.mktemp("models") / "local" / "1"))
