"""Small pictures, folders of them, and records made of those."""

import io

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.shards import write_records

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def _picture(height=48, width=64, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def _encode(image, kind="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def picture():
    """picture(height, width, seed) -> a smooth random RGB image."""
    return _picture


@pytest.fixture(scope="session")
def encode():
    """encode(image, kind, **options) -> the file's bytes."""
    return _encode


@pytest.fixture
def photo_folder(tmp_path):
    """photo_folder({"wonders/taj": 3, ...}) -> a folder with so many pictures of each, and its path."""
    def make(counts, name="photos"):
        for number, (landmark, count) in enumerate(counts.items()):
            folder = tmp_path / name / landmark
            folder.mkdir(parents=True, exist_ok=True)
            for index in range(count):
                path = folder / f"{landmark.replace('/', '_')}_{index}.jpg"
                path.write_bytes(_encode(_picture(seed=1000 * number + index), quality=90))
        return tmp_path / name
    return make


@pytest.fixture
def records(photo_folder, tmp_path):
    """records({"taj": 3, ...}, num_shards) -> the manifest of their records."""
    def make(counts, num_shards=4, name="records"):
        return write_records(read_folder([photo_folder(counts)]), tmp_path / name, split="train", num_shards=num_shards,
                             seed=0, max_side=64)
    return make
