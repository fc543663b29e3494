"""A real SLURM for the tests of this folder, or the reason why there is none; photographs and records for its jobs."""

import numpy as np
import pytest
from PIL import Image

from tests.slurm.local_slurm import LocalSlurm


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    hindrance = LocalSlurm.hindrance()
    if hindrance:
        pytest.skip(hindrance)
    with LocalSlurm(tmp_path_factory.mktemp("slurm") / "daemons") as started:
        yield started


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """Folders of 4 landmarks with 12 photographs each: patterns of another colour."""
    folder, random = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    for landmark in range(4):
        pattern = random.integers(0, 256, (4, 4, 3))
        (folder / f"landmark{landmark}").mkdir()
        for number in range(12):
            noisy = np.clip(pattern + random.normal(0, 20, pattern.shape), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).resize((48, 40), Image.Resampling.NEAREST).save(
                folder / f"landmark{landmark}" / f"{landmark}{number:02d}.jpg", quality=95)
    return folder


@pytest.fixture(scope="session")
def records(images, tmp_path_factory):
    """Records of them."""
    from landmark_zoo.data.datasets.folder import read_folder
    from landmark_zoo.data.writer import write_records
    folder = tmp_path_factory.mktemp("records")
    write_records(read_folder([str(images)]), folder / "train", split="train", num_shards=2, seed=0, max_side=64)
    return folder
