"""Photographs of a few painted landmarks, a benchmark of others among them, and weights of a narrow backbone."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments.studies.protocol import RECIPE_SETS
from landmark_zoo.backbones.resnet_v15 import ResNet18
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.writer import write_records
from landmark_zoo.training.frozen_backbone import Views

TRAINED, SOUGHT, EACH = 4, 3, 6


@pytest.fixture(scope="session")
def toys(tmp_path_factory):
    """Folders `photos`, `records` and `benchmark`, and the file `weights`."""
    root = tmp_path_factory.mktemp("toys")
    random = np.random.default_rng(0)
    for landmark in range(TRAINED + SOUGHT):
        pattern = random.integers(0, 256, (4, 4, 3))
        for number in range(EACH):
            noisy = np.clip(pattern + random.normal(0, 40, pattern.shape), 0, 255).astype(np.uint8)
            path = root / "photos" / f"landmark{landmark}" / f"{landmark:02d}{number:02d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            size = (48, 40) if number % 2 else (40, 56)
            Image.fromarray(noisy).resize(size, Image.Resampling.BICUBIC).save(path, quality=95)
    entries = read_folder([root / "photos"]).without_landmarks({f"landmark{TRAINED + number}" for number in range(SOUGHT)})
    write_records(entries, root / "records" / "train", split="train", num_shards=2, seed=0, max_side=64)
    ids = {number: [f"{number:02d}{place:02d}" for place in range(EACH)] for number in range(TRAINED, TRAINED + SOUGHT)}
    (root / "benchmark").mkdir()
    lists = {"test.csv": ["id", *(names[0] for names in ids.values())],
             "index.csv": ["id", *(name for names in ids.values() for name in names[1:])],
             "retrieval_solution.csv": ["id,images", *(f"{names[0]},{' '.join(names[1:])}" for names in ids.values())]}
    for name, lines in lists.items():
        (root / "benchmark" / name).write_text("\n".join(lines) + "\n")
    tf.keras.utils.set_random_seed(7)
    ResNet18(include_top=False, weights=None, input_shape=(None, None, 3), alpha=0.25).save_weights(
        root / "resnet18.weights.h5")
    return SimpleNamespace(photos=root / "photos", records=root / "records", benchmark=root / "benchmark",
                           weights=str(root / "resnet18.weights.h5"))


@pytest.fixture(scope="session")
def recipe():
    """The attention study made small: two blocks on a narrow ResNet-18."""
    full = RECIPE_SETS["attention"]
    small = {"batch_size": 4, "image_size": 32, "epochs": 2, "log_steps": 1}
    return dataclasses.replace(
        full, backbone="resnet18", blocks=("baseline", "se"), side=64, views=Views(32, 2),
        model=dataclasses.replace(full.model, alpha=0.25, embedding_dim=8),
        frozen=dataclasses.replace(full.frozen, **{**small, "learning_rate": 1e-3}),
        end_to_end=dataclasses.replace(full.end_to_end, **small))
