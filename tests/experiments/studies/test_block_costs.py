from experiments.studies.block_costs import block_costs
from landmark_zoo.models.config import ModelConfig


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
