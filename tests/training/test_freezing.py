"""Stages that do not learn."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import create_model
from landmark_zoo.training.freezing import freeze_stages


def built(name="resnet18_se", **arguments):
    return create_model(name, alpha=0.25, embedding_dim=8, num_classes=3, **arguments)


def first_letters(layers):
    return {layer.name.split("_")[0] for layer in layers if layer.weights}


@pytest.mark.parametrize(("stage", "frozen"), [
    ("c2", {"conv1", "conv2"}), ("c3", {"conv1", "conv2", "conv3"}), ("c4", {"conv1", "conv2", "conv3", "conv4"}),
    ("all", {"conv1", "conv2", "conv3", "conv4", "conv5"})])
def test_stages_of_resnet18(stage, frozen):
    model = built()
    network = model.get_layer("resnet18")
    count = freeze_stages(model, stage)
    fixed = [layer for layer in network.layers if not layer.trainable]
    assert first_letters(fixed) == frozen
    assert count == len(fixed)
    assert first_letters(layer for layer in network.layers if layer.trainable).isdisjoint(frozen)
    assert all(layer.trainable for layer in model.layers if layer is not network)


def test_weights_and_statistics_stay_and_the_rest_moves():
    """A step in training mode with BatchNorm unfrozen: only what is behind C3 changes."""
    model = built()
    freeze_stages(model, "c3")
    network = model.get_layer("resnet18")
    before = {layer.name: layer.get_weights() for layer in network.layers}
    images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(images, training=True)["logits"] ** 2)
    variables = model.trainable_variables
    tf.keras.optimizers.SGD(1e-2).apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    moved = {layer.name for layer in network.layers
             if any(not np.array_equal(*pair) for pair in zip(before[layer.name], layer.get_weights(), strict=True))}
    assert {name.split("_")[0] for name in moved} == {"conv4", "conv5"}
    assert "conv4_block1_1_bn" in moved


def test_blocks_inside_frozen_stages_learn():
    model = built("resnet18_se", placement="stages")
    freeze_stages(model, "c4")
    inside = {layer.name: layer.trainable for layer in model.get_layer("resnet18").layers if layer.name.startswith("se_")}
    assert inside == {"se_c3": True, "se_c4": True, "se_c5": True}
    assert not model.get_layer("resnet18").get_layer("conv4_block2_2_conv").trainable
    assert model.get_layer("resnet18").get_layer("conv5_block1_1_conv").trainable


@pytest.mark.parametrize(("name", "stage", "last", "next_"), [
    ("mobilenet_gem", "c2", "conv_pw_3", "conv_dw_4"), ("mobilenetv2_gem", "c2", "block_3_expand", "block_3_depthwise"),
    ("mobilenetv2_gem", "c3", "block_6_expand", "block_6_depthwise")])
def test_other_backbones(name, stage, last, next_):
    model = built(name)
    freeze_stages(model, stage)
    network = model.get_layer(name.split("_")[0])
    assert not network.get_layer(last).trainable
    assert network.get_layer(next_).trainable


def test_a_network_cut_in_two():
    """Attention Branch Networks have their backbone in two parts, cut at C4."""
    model = built("resnet18_abn", head="softmax")
    freeze_stages(model, "c4")
    assert not model.get_layer("resnet18").trainable_variables
    assert model.get_layer("perception").trainable_variables
    freeze_stages(model, "all")
    assert not model.get_layer("perception").trainable_variables
    assert model.get_layer("attention_branch").trainable_variables


def test_none():
    model = built()
    assert freeze_stages(model, "none") == 0
    assert model.get_layer("resnet18").trainable_variables


def test_a_model_without_that_stage():
    images = tf.keras.Input([None, None, 3])
    model = tf.keras.Model(images, tf.keras.layers.Conv2D(3, 3)(images))
    with pytest.raises(UserError, match="a backbone with stage c3 for --freeze; received a model with the networks none"):
        freeze_stages(model, "c3")
