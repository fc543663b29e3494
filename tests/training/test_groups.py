"""Who learns."""

import tensorflow as tf

from landmark_zoo.models import create_model
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.groups import variable_groups


def groups(placement="end", **settings):
    model = create_model("mobilenet_se", alpha=0.25, embedding_dim=8, num_classes=3, placement=placement)
    return model, variable_groups(model, TrainingConfig(**settings))


def test_every_variable_once():
    model, (backbone, head) = groups(backbone_multiplier=0.5, head_multiplier=2.0, head_epochs=1, freeze_batchnorm=False)
    assert (backbone.multiplier, head.multiplier) == (0.5, 2.0)
    assert (backbone.from_epoch, head.from_epoch) == (1, 0)
    names = [variable.name for group in (backbone, head) for variable in group.variables]
    assert sorted(names) == sorted(variable.name for variable in model.trainable_variables)
    assert {name.split("/")[0] for name in (variable.name for variable in head.variables)} == {"se", "embedding", "arcface"}


def test_blocks_in_the_backbone_belong_to_the_head():
    _, (backbone, head) = groups(placement="stages")
    assert any(variable.name.startswith("se_c3") for variable in head.variables)
    assert not any(variable.name.startswith("se_") for variable in backbone.variables)


def test_frozen():
    _, (backbone, head) = groups(freeze="all")
    assert not backbone.variables
    assert head.variables
    model, (backbone, _) = groups(freeze_batchnorm=True)
    assert not any(isinstance(layer, tf.keras.layers.BatchNormalization) and layer.trainable
                   for layer in model.get_layer("mobilenet").layers)
    assert not any("bn" in variable.name for variable in backbone.variables)
