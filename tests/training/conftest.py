"""Small records and a small model."""

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.shards import write_records
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.config import TrainingConfig


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """Records of 4 easy landmarks with 12 photographs each: patterns of another colour."""
    root = tmp_path_factory.mktemp("records")
    random = np.random.default_rng(0)
    for landmark in range(4):
        pattern = random.integers(0, 256, (4, 4, 3))
        for number in range(12):
            noisy = np.clip(pattern + random.normal(0, 20, pattern.shape), 0, 255).astype(np.uint8)
            path = root / "photos" / f"landmark{landmark}" / f"{landmark}{number:02d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noisy).resize((48, 40), Image.Resampling.NEAREST).save(path, quality=95)
    for split in ("train", "validation"):
        write_records(read_folder([str(root / "photos")]), root / split, split=split, num_shards=2, seed=0, max_side=64)
    return root


@pytest.fixture
def model_config():
    return ModelConfig("mobilenet_se", embedding_dim=8, alpha=0.25, margin=0.1, scale=10.0)


@pytest.fixture
def config():
    return TrainingConfig(epochs=2, batch_size=8, image_size=32, learning_rate=1e-3, freeze_batchnorm=False, log_steps=1)
