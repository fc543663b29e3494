"""The speed measurements."""

import numpy as np
import pytest
from PIL import Image

from experiments.benchmarks.layers import measure_head
from experiments.benchmarks.training import measure_scaling
from landmark_zoo.data.datasets.folder import read_folder
from landmark_zoo.data.writer import write_records
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from tests.run_script import run_script


@pytest.fixture
def records(tmp_path):
    for number in range(64):
        path = tmp_path / "photos" / str(number % 2) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((64, 64, 3), number, np.uint8)).save(path)
    write_records(read_folder([str(tmp_path / "photos")]), tmp_path / "records" / "train", split="train", num_shards=2,
                  seed=0, max_side=64)
    return tmp_path / "records"


def test_input_pipeline(records):
    done = run_script("experiments.bench", records=records, image_size=32, batch_size=4, seconds=0.5)
    assert done.code == 0, done.stderr
    name, value = done.stdout.splitlines()[0].split()
    assert name == "images_per_second"
    assert float(value) > 10


@pytest.mark.slow
def test_training_beside_a_loop_written_by_hand(records):
    done = run_script("experiments.bench", what="train", records=records, model="mobilenet_gem", alpha=0.25, image_size=32,
                      batch_size=4, embedding_dim=8, steps=5)
    assert done.code == 0, done.stderr
    found = dict(line.split() for line in done.stdout.splitlines())
    assert {"input_alone", "model_alone", "plain_loop", "training"} < set(found)
    assert float(found["training_to_plain_loop"]) == pytest.approx(float(found["training"]) / float(found["plain_loop"]),
                                                                   abs=0.02)


@pytest.mark.slow
@pytest.mark.nightly
def test_two_workers_beside_one(records):
    config = TrainingConfig(image_size=32, batch_size=4, freeze_batchnorm=False)
    found = measure_scaling(records, ModelConfig("mobilenet_gem", alpha=0.25, embedding_dim=8), config, workers=2, steps=3,
                            rounds=1)
    assert set(found) == {"input_alone", "model_alone", "both_in_turn", "training_1", "training_2", "overlap", "speedup"}
    assert found["speedup"] == pytest.approx(found["training_2"] / found["training_1"])
    assert found["both_in_turn"] < min(found["input_alone"], found["model_alone"])


def test_more_workers_than_cores(records):
    done = run_script("experiments.bench", what="train", workers=999, records=records)
    assert done.code == 2
    assert "one for each core; received 999" in done.stderr


def test_a_large_head():
    found = measure_head(num_classes=500, dimension=8, batch_size=4)
    assert found["sampled_ms"] > 0
    assert found["all_classes_ms"] > 0


def test_missing_flags():
    for what in ("input", "train", "attention", "search", "match"):
        done = run_script("experiments.bench", what=what)
        assert done.code == 2
        assert "Expected --" in done.stderr
