
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.core.errors import UserError
from landmark_zoo.models import create_model
from landmark_zoo.training.config import SCHEDULES, TrainingConfig
from landmark_zoo.training.optimizer import (
    Group,
    GroupedOptimizer,
    LearningRate,
    freeze_batchnorm,
    freeze_stages,
    learning_rate_factor,
    variable_groups,
)

GRADIENT = [0.5, -1.0]


def moved(optimizer, multipliers, steps=3, from_epochs=(0, 0), shape=(2,), **settings):
    variables = [tf.Variable(np.reshape([1.0, 2.0], shape)) for _ in multipliers]
    settings = {"schedule": "constant", **settings}
    config = TrainingConfig(optimizer=optimizer, learning_rate=0.1, warmup_fraction=0.0, epochs=1000, **settings)
    groups = [Group(str(number), [variable], multiplier, first)
              for number, (variable, multiplier, first) in enumerate(zip(variables, multipliers, from_epochs, strict=False))]
    run_step = tf.Variable(0, dtype=tf.int64)
    grouped = GroupedOptimizer(groups, config, 1, run_step)
    for step in range(steps):
        active = grouped.active(step)
        grouped.apply([tf.constant(np.reshape(GRADIENT, shape))] * len(grouped.trained(active)), active)
        run_step.assign_add(1)
    return [variable.numpy().reshape(-1) - [1.0, 2.0] for variable in variables]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_three_times_the_rate_is_three_times_the_way(optimizer):
    once, thrice = moved(optimizer, (1.0, 3.0))
    np.testing.assert_allclose(thrice, 3 * once, rtol=1e-4)
    assert np.abs(once).max() > 0.1


def test_a_multiplier_of_zero_does_not_move():
    fixed, free = moved("adam", (0.0, 1.0))
    assert not fixed.any()
    assert free.all()


def test_a_group_that_joins_late_starts_as_if_new():
    late, early = moved("adam", (1.0, 1.0), steps=5, from_epochs=(3, 0))
    np.testing.assert_allclose(late, moved("adam", (1.0,), steps=2)[0])
    np.testing.assert_allclose(early, moved("adam", (1.0,), steps=5)[0])


def test_a_group_that_joins_late_has_the_rate_of_the_run():
    late, _ = moved("sgd", (1.0, 1.0), steps=101, from_epochs=(100, 0), momentum=0.0, schedule="step", decay_epochs="50")
    np.testing.assert_allclose(late, -0.1 * 0.1 * np.array(GRADIENT), rtol=1e-5)


def test_equals_keras_adam():
    variable = tf.Variable([1.0, 2.0])
    keras = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(0.1, 1000))
    for _ in range(3):
        keras.apply_gradients([(tf.constant(GRADIENT), variable)])
    np.testing.assert_allclose(moved("adam", (1.0,), schedule="cosine")[0], variable.numpy() - [1.0, 2.0], rtol=1e-5)


def test_clips_all_gradients_together():
    first, _ = moved("sgd", (1.0, 1.0), steps=1, clip_norm=0.1, momentum=0.0)
    norm = np.sqrt(2 * (0.5**2 + 1))
    np.testing.assert_allclose(first, -0.1 * np.array(GRADIENT) * 0.1 / norm, rtol=1e-4)


def test_decay_of_sgd_is_added_to_the_gradient_of_kernels():
    kernel, = moved("sgd", (1.0,), steps=1, shape=(1, 2), momentum=0.0, weight_decay=0.3)
    np.testing.assert_allclose(kernel, -0.1 * (np.array(GRADIENT) + 0.3 * np.array([1.0, 2.0])), rtol=1e-5)


def test_decay_of_adam_is_in_its_moments_and_that_of_adamw_is_not():
    """Without gradient Adam makes a step of the rate, whatever the decay; AdamW takes off rate times decay."""
    adam, = moved("adam", (1.0,), steps=1, shape=(1, 2), weight_decay=1000)
    np.testing.assert_allclose(adam, [-0.1, -0.1], rtol=1e-4)
    adamw, = moved("adamw", (1.0,), steps=1, shape=(1, 2), weight_decay=0.5)
    without, = moved("adamw", (1.0,), steps=1, shape=(1, 2))
    np.testing.assert_allclose(adamw - without, -0.1 * 0.5 * np.array([1.0, 2.0]), rtol=1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_biases_do_not_decay(optimizer):
    np.testing.assert_array_equal(moved(optimizer, (1.0,), weight_decay=0.5)[0], moved(optimizer, (1.0,))[0])


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


STAGES = {"conv1": 3, "conv2": 3, "conv3": 2, "conv4": 1, "conv5": 0}  # of ResNet-18, from the last one


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_each_stage_moves_by_the_decay_less_than_the_next_one(optimizer):
    """One step of equal gradients: SGD moves by rate times gradient, Adam by the rate."""
    model = built(placement="stages")
    config = TrainingConfig(epochs=1, optimizer=optimizer, learning_rate=0.1, momentum=0.0, schedule="constant",
                            warmup_fraction=0.0, backbone_multiplier=0.5, layer_decay=0.25, head_multiplier=2.0,
                            freeze_batchnorm=False)
    found = GroupedOptimizer(variable_groups(model, config), config, 10, tf.Variable(0))
    variables, before = model.trainable_variables, [variable.numpy() for variable in model.trainable_variables]
    assert sorted(id(variable) for variable in found.trained(found.active(0))) == sorted(map(id, variables))
    found.apply([tf.fill(variable.shape, 3.0) for variable in found.trained(found.active(0))], found.active(0))
    for variable, old in zip(variables, before, strict=True):
        stage = STAGES.get(variable.name.split("_")[0])
        multiplier = 2.0 if stage is None else 0.5 * 0.25**stage
        assert (stage is None) == variable.name.startswith(("se_", "embedding", "arcface", "gem"))
        way = 0.1 * multiplier * (3 if optimizer == "sgd" else 1)
        np.testing.assert_allclose(variable - old, np.full(old.shape, -way), rtol=1e-3, atol=1e-6, err_msg=variable.name)


def names_and_rates(model, **settings):
    found = variable_groups(model, TrainingConfig(**{"layer_decay": 0.5, **settings}))
    return {group.name: (group.multiplier, group.from_epoch, bool(group.variables)) for group in found}


def test_groups_of_stages():
    """Frozen stages have nothing that learns; all wait for the head; without decay the backbone is one group."""
    assert names_and_rates(built(), freeze="c3", head_epochs=1, backbone_multiplier=0.8) == {
        "backbone c2": (0.1, 1, False), "backbone c3": (0.2, 1, False), "backbone c4": (0.4, 1, True),
        "backbone c5": (0.8, 1, True), "head": (1, 0, True)}
    assert names_and_rates(built(), layer_decay=1.0) == {"backbone": (1, 0, True), "head": (1, 0, True)}


@pytest.mark.parametrize(("name", "expected"), [
    ("resnet18_delf", {"backbone c2": 0.25, "backbone c3": 0.5, "backbone c4": 1, "head": 1}),
    pytest.param("resnet18_delg", None, marks=pytest.mark.slow), pytest.param("resnet18_how", None, marks=pytest.mark.slow),
    pytest.param("resnet18_abn", None, marks=pytest.mark.slow), pytest.param("resnet18_solar", None, marks=pytest.mark.slow),
    pytest.param("vgg16_gem", None, marks=pytest.mark.slow), pytest.param("mobilenetv2_gem", None, marks=pytest.mark.slow),
    pytest.param("efficientnetlite0_gem", None, marks=pytest.mark.slow)])
def test_stages_of_composites(name, expected):
    """DELF's backbone ends at C4, that of an ABN is in two parts; every variable is in one group."""
    width = {} if name.startswith(("vgg", "efficientnet")) else {"alpha": 0.25}
    model = create_model(name, num_classes=3, **width)
    found = variable_groups(model, TrainingConfig(layer_decay=0.5, freeze_batchnorm=False))
    assert {group.name: group.multiplier for group in found} == (expected or {
        "backbone c2": 0.125, "backbone c3": 0.25, "backbone c4": 0.5, "backbone c5": 1, "head": 1})
    assert all(group.variables for group in found if group.name != "head")
    assert sorted(id(variable) for group in found for variable in group.variables) == sorted(
        map(id, model.trainable_variables))


def test_stages_of_a_network_that_is_in_no_table():
    images = tf.keras.Input([None, None, 3])
    model = tf.keras.Model(images, tf.keras.layers.Conv2D(3, 3)(images))
    with pytest.raises(UserError, match=r"stage c2 for --layer_decay; received .* none\. Use --layer_decay=1\."):
        variable_groups(model, TrainingConfig(layer_decay=0.5))


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


@pytest.mark.slow
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


def test_statistics_and_outputs_stay_in_training_mode():
    backbone = build_backbone("mobilenet", alpha=0.25)
    layers = [layer for layer in backbone.layers if isinstance(layer, tf.keras.layers.BatchNormalization)]
    assert freeze_batchnorm(backbone) == len(layers) > 20
    images = np.random.default_rng(0).standard_normal((4, 64, 64, 3)).astype(np.float32)
    before = backbone.get_weights()
    training, inference = backbone(images, training=True)["C5"], backbone(images, training=False)["C5"]
    np.testing.assert_allclose(training, inference, rtol=1e-5)
    for left, right in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert not any("gamma" in variable.name or "beta" in variable.name for variable in backbone.trainable_variables)


def test_goes_into_models_inside():
    outer = tf.keras.Sequential([tf.keras.Input([None, None, 3]), tf.keras.layers.BatchNormalization(),
                                 tf.keras.Sequential([tf.keras.layers.BatchNormalization()])])
    assert freeze_batchnorm(outer) == 2


NEEDED = {"step": {"decay_epochs": "2,3"}}


def factors(schedule, steps, **settings):
    config = TrainingConfig(**{"epochs": 4, "learning_rate": 0.5, "warmup_fraction": 0.0, "schedule": schedule,
                               **NEEDED.get(schedule, {}), **settings})
    return [float(learning_rate_factor(config, step, steps_per_epoch=10)) for step in steps]


@pytest.mark.parametrize(("schedule", "settings", "expected"), [
    ("cosine", {}, [1, 0.5 + math.sqrt(0.5) / 2, 0.5, 0, 0]),
    ("cosine", {"final_learning_rate": 0.1}, [1, 0.2 + 0.8 * (0.5 + math.sqrt(0.5) / 2), 0.6, 0.2, 0.2]),
    ("linear", {}, [1, 0.75, 0.5, 0, 0]), ("linear", {"final_learning_rate": 0.1}, [1, 0.8, 0.6, 0.2, 0.2]),
    ("polynomial", {"decay_power": 3.0}, [1, 0.75**3, 0.125, 0, 0]),
    ("exponential", {}, [1, 0.99, 0.99**2, 0.99**4, 0.99**5]),
    ("exponential", {"decay_factor": 0.5}, [1, 0.5, 0.25, 0.0625, 0.03125]),
    ("step", {}, [1, 1, 0.1, 0.01, 0.01]), ("step", {"decay_factor": 0.2}, [1, 1, 0.2, 0.04, 0.04]),
    ("constant", {}, [1, 1, 1, 1, 1])])
def test_worked_out_by_hand(schedule, settings, expected):
    np.testing.assert_allclose(factors(schedule, [0, 10, 20, 40, 50], **settings), expected, atol=1e-6)


def test_cosine_after_warmup():
    got = factors("cosine", [0, 1, 3, 4, 22, 40], warmup_fraction=0.1)
    np.testing.assert_allclose(got, [0.25, 0.5, 1, 1, 0.5, 0], atol=1e-6)


def test_falls_once_an_epoch():
    assert len(set(factors("exponential", range(10, 20)))) == 1


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SCHEDULES), st.floats(0, 0.9), st.integers(0, 60))
def test_never_rises_after_the_warmup_and_stays_a_part_of_the_peak(schedule, warmup, step):
    now, then = factors(schedule, [step, step + 1], warmup_fraction=warmup)
    assert 0 <= now <= 1
    assert then <= now + 1e-6 or step < warmup * 40


def test_follows_the_run_and_not_the_optimizer():
    config, step = TrainingConfig(epochs=1, learning_rate=0.5, warmup_fraction=0.0, schedule="linear"), tf.Variable(5)
    rate = LearningRate(config, 2.0, 10, step)
    assert float(rate(tf.constant(0))) == pytest.approx(0.5)
    step.assign(10)
    assert float(rate(tf.constant(0))) == 0
