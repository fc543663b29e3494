import functools

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.writer import write_records
from tests.run_script import run_script

verify = functools.partial(run_script, "experiments.verify")


@pytest.fixture
def data(tmp_path):
    """Records of 12 pictures in train/, three files."""
    for landmark in "ab":
        (tmp_path / "photos" / landmark).mkdir(parents=True)
        for number in range(6):
            pixels = np.full((40, 60, 3), 20 * number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / landmark / f"{landmark}{number}.jpg")
    write_records(read_folder([tmp_path / "photos"]), tmp_path / "data/train", split="train", num_shards=3, seed=0,
                  max_side=64)
    return tmp_path / "data"


def test_faults_are_named_and_mended(data, tmp_path):
    path = data / "train/train-00001-of-00003.tfrecord"
    before = path.read_bytes()
    path.write_bytes(before[:-3])
    sick = verify(data=data)
    assert sick.code == 1, sick.stderr
    assert f"train/{path.name}: {len(before) - 3:,} bytes instead of {len(before):,}" in sick.stdout.splitlines()
    assert "faults" in sick.stdout.splitlines()[-1]

    (tmp_path / "photos").rename(tmp_path / "moved")
    mended = verify(data=data, repair=True, photos=tmp_path / "moved")
    assert mended.code == 0, mended.stdout + mended.stderr
    assert mended.stdout.splitlines() == [f"train/{path.name}: repaired", "sound"]
    assert path.read_bytes() == before


def test_what_cannot_be_mended_is_said(data, tmp_path):
    (data / "train/train-00002-of-00003.tfrecord").unlink()
    (tmp_path / "photos").rename(tmp_path / "moved")
    failed = verify(data=data, repair=True)
    assert failed.code == 1
    assert failed.stdout.startswith("train/train-00002-of-00003.tfrecord: not repaired: Expected")
    assert "train/train-00002-of-00003.tfrecord: missing" in failed.stdout.splitlines()


def test_nothing_to_examine(tmp_path):
    failed = verify(data=tmp_path)
    assert failed.code == 2
    assert failed.stderr.splitlines()[-1].startswith("Error: Expected records in ")
