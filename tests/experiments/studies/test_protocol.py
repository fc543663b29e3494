import json

import pytest

from experiments.studies.protocol import RECIPE_SETS, block_costs, training_seconds
from landmark_zoo.core.errors import UserError
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.config import TrainingConfig


def test_the_attention_set_compares_eight_blocks_under_one_recipe():
    recipe = RECIPE_SETS["attention"]
    assert recipe.blocks == ("baseline", "se", "cbam", "spatial", "channel", "eca", "glam", "solar")
    assert recipe.frozen.backbone_multiplier == 0
    assert recipe.frozen.image_size == recipe.end_to_end.image_size == recipe.views.image_size
    assert [recipe.model_config(block).model for block in ("baseline", "glam", "solar")] == [
        "mobilenetv2_gem", "mobilenetv2_glam", "mobilenetv2_solar_block"]  # the block, not the network of its paper


def test_other_blocks():
    recipe = RECIPE_SETS["attention"].with_blocks(["how", "baseline", "how"])
    assert recipe.blocks == ("how", "baseline")
    with pytest.raises(UserError, match="received 'sea'"):
        recipe.with_blocks(["sea"])


def test_steps_times_the_median_step(tmp_path):
    lines = [{"step": 10, "images_per_second": 1.0}, {"step": 20, "images_per_second": 40.0}, {"step": 20, "validation": 1},
             {"step": 30, "images_per_second": 50.0}]
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert training_seconds(tmp_path, TrainingConfig(batch_size=8)) == pytest.approx(30 * 8 / 40)


def test_nothing_was_trained(tmp_path):
    assert training_seconds(tmp_path, TrainingConfig()) == 0


def test_squeeze_and_excitation_counted_by_hand():
    model = ModelConfig("resnet18_se", embedding_dim=8, alpha=0.25).build(num_classes=3)
    costs = block_costs(model, "arcface", (2, 3, 128))
    assert costs["block_parameters"] == 128 * 8 + 8 + 8 * 128 + 128
    assert costs["block_macs"] == 2 * 128 * 8
    assert costs["parameters"] == model.count_params() - 8 * 3
    assert costs["block_milliseconds"] > 0


def test_without_a_block_its_costs_are_nothing():
    model = ModelConfig("resnet18_gem", embedding_dim=8, alpha=0.25).build(num_classes=3)
    costs = block_costs(model, "arcface", (2, 3, 128))
    assert (costs["block_parameters"], costs["block_macs"], costs["block_milliseconds"]) == (0, 0, 0)
