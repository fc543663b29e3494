"""The facts of a run."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.workdir import claim, read_model


def test_round_trip_and_other_landmarks(tmp_path):
    claim(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {"parameters": 5})
    assert read_model(tmp_path) == (ModelConfig(), {"config": vars(ModelConfig()), "num_classes": 2, "parameters": 5})
    assert list(LabelMap.load(tmp_path / "label_map.json")) == ["7", "12"]
    with pytest.raises(UserError, match="records with other landmarks"):
        claim(tmp_path, ModelConfig(), LabelMap(["7", "13"]), {})
    with pytest.raises(UserError, match="num_classes 2"):
        claim(tmp_path, ModelConfig(), LabelMap(["7", "12", "13"]), {})


@pytest.mark.parametrize("facts", [{}, [], {"config": {"model": "resnet50_se", "colour": "red"}}])
def test_a_foreign_file(tmp_path, facts):
    write_json(tmp_path / "model.json", facts)
    with pytest.raises(UserError, match=r"a model\.json with config"):
        read_model(tmp_path)


def test_another_recipe_is_refused_by_name(tmp_path):
    def claimed(**settings):
        claim(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig(**settings))
    claimed(learning_rate=1e-3)
    claimed(learning_rate=1e-3, log_steps=1, checkpoint_steps=5, checkpoint_seconds=1e9)
    with pytest.raises(UserError, match=r"--epochs=3 --learning_rate=0\.001; received --epochs=4 --learning_rate=2e-05"):
        claimed(epochs=4)
    claimed(learning_rate=1e-3)


def test_a_run_without_a_recipe_gets_one(tmp_path):
    claim(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig())
    (tmp_path / "recipe.json").unlink()
    claim(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig(epochs=9))
    with pytest.raises(UserError, match="--epochs=9; received --epochs=3"):
        claim(tmp_path, ModelConfig(), LabelMap(["7", "12"]), {}, TrainingConfig())
