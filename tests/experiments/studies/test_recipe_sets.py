import pytest

from experiments.studies.recipe_sets import RECIPE_SETS
from landmark_zoo.core.errors import UserError


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
