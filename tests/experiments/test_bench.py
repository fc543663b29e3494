"""The speed measurements."""

import numpy as np
from PIL import Image

from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.shards import write_records
from tests.experiments.run_script import run_script


def test_input_pipeline(tmp_path):
    for number in range(64):
        path = tmp_path / "photos" / str(number % 2) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((64, 64, 3), number, np.uint8)).save(path)
    write_records(read_folder([str(tmp_path / "photos")]), tmp_path / "records" / "train", split="train", num_shards=2,
                  seed=0, max_side=64)
    done = run_script("experiments.bench", records=tmp_path / "records", image_size=32, batch_size=4, seconds=0.5)
    assert done.code == 0, done.stderr
    name, value = done.stdout.splitlines()[0].split()
    assert name == "images_per_second"
    assert float(value) > 10


def test_missing_flags():
    for what in ("input", "attention"):
        done = run_script("experiments.bench", what=what)
        assert done.code == 2
        assert "Expected --" in done.stderr
