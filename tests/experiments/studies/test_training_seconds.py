import json

import pytest

from experiments.studies.training_seconds import training_seconds
from landmark_zoo.training.config import TrainingConfig


def test_steps_times_the_median_step(tmp_path):
    lines = [{"step": 10, "images_per_second": 1.0}, {"step": 20, "images_per_second": 40.0}, {"step": 20, "validation": 1},
             {"step": 30, "images_per_second": 50.0}]
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert training_seconds(tmp_path, TrainingConfig(batch_size=8)) == pytest.approx(30 * 8 / 40)


def test_nothing_was_trained(tmp_path):
    assert training_seconds(tmp_path, TrainingConfig()) == 0
