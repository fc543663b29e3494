import pytest

from experiments.studies.block_config import BlockConfig
from landmark_zoo.models.on_features import on_features


@pytest.mark.parametrize("block", ["solar", "how", "se"])
def test_a_name_is_the_block_by_itself_also_where_the_zoo_has_a_network_of_that_name(block):
    model = BlockConfig(f"resnet18_{block}", embedding_dim=8, alpha=0.25).build(num_classes=3)
    assert [layer.name for layer in on_features(model)[1].layers[1:]] == [block, "gem", "embedding", "arcface"]
    assert model.name == f"resnet18_{block}"


def test_a_pooling_is_no_block_and_margin_and_scale_reach_the_head():
    model = BlockConfig("resnet18_gem", embedding_dim=8, alpha=0.25, margin=0.25, scale=9.0).build(num_classes=3)
    assert (model.get_layer("arcface").margin, model.get_layer("arcface").scale) == (0.25, 9.0)
    assert set(model.output_shape) == {"embedding", "feature_map", "logits"}
