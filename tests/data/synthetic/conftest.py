"""Parts of drawn scenes that several tests share."""

import numpy as np
import pytest

from landmark_zoo.data.synthetic.collection import draw_collection
from landmark_zoo.data.synthetic.render import Camera
from landmark_zoo.data.synthetic.scene import Scene, draw_scene

SMALL = {"train_landmarks": 3, "train_views": 6, "benchmark_landmarks": 2, "index_views": 3, "query_views": 2,
         "distractors": 5, "long_side": 64}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(scope="session")
def camera() -> Camera:
    """20 m before the origin, 2 m up, looking along -z."""
    return Camera((0.0, 2.0, 20.0), (0.0, 2.0, 0.0), 0.0, 100.0, 120, 80)


@pytest.fixture(scope="session")
def scene() -> Scene:
    return draw_scene(0, 0, 96)


@pytest.fixture(scope="session")
def collection(tmp_path_factory):
    """A small collection on disk; read it, do not write to it."""
    folder = tmp_path_factory.mktemp("drawn") / "collection"
    draw_collection(folder, workers=1, **SMALL)
    return folder
