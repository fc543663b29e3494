import functools
import logging

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.core.errors import UserError
from landmark_zoo.models import create_model
from landmark_zoo.training.precision import (
    LossScale,
    auto_precision,
    bfloat16_can_gain,
    policy_for,
    precision,
    precision_by_trial,
)


@functools.cache
def built(policy):
    tf.keras.utils.set_random_seed(0)
    with precision(policy):
        return create_model("resnet18_se", alpha=0.125, embedding_dim=8, num_classes=3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_backbone_and_block_compute_short_and_the_rest_long(policy):
    model = built(policy)
    outputs = model(np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8))
    assert outputs["feature_map"].dtype == policy.removeprefix("mixed_")
    assert outputs["embedding"].dtype == outputs["logits"].dtype == tf.float32
    assert {model.get_layer(name).compute_dtype for name in ("preprocessing", "gem", "embedding", "arcface")} == {"float32"}
    assert all(weight.dtype == tf.float32 for weight in model.weights)
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1, rtol=1e-5)
    assert tf.keras.mixed_precision.global_policy().name == "float32"


def test_the_policy_before_comes_back_after_an_error():
    with pytest.raises(KeyError), precision("mixed_bfloat16"):
        raise KeyError
    assert tf.keras.mixed_precision.global_policy().name == "float32"


def test_a_checkpoint_is_the_same_without_the_policy(tmp_path):
    half, full = built("mixed_float16"), built("float32")
    half.set_weights([weight + 0.01 for weight in half.get_weights()])
    path = tf.train.Checkpoint(model=half).write(str(tmp_path / "weights"))
    tf.train.Checkpoint(model=full).read(path).assert_consumed()
    for left, right in zip(half.get_weights(), full.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.slow
def test_the_normalisation_inside_efficientnet_is_float32_too():
    with precision("mixed_bfloat16"):
        network = build_backbone("efficientnetb0", taps=("C3",))
    assert {weight.dtype for weight in network.weights} == {tf.float32, tf.int64}
    assert {layer.compute_dtype for layer in network.layers if layer.name.startswith("normalization")} == {"float32"}
    assert network.get_layer("stem_conv").compute_dtype == "bfloat16"
    assert network(np.full((1, 64, 64, 3), 128, np.float32))["C3"].dtype == tf.bfloat16


@pytest.mark.parametrize(("cards", "policy"), [
    ([], "float32"), ([(6, 0)], "float32"), ([(7, 0)], "float32"), ([(7, 5), (7, 5)], "float32"),
    ([(8, 0)], "mixed_bfloat16"), ([(8, 6)] * 4, "mixed_bfloat16"), ([(9, 0)], "mixed_bfloat16"),
    ([(8, 0), (6, 0)], "float32"), ([None], "float32")],
    ids=["CPU", "P100", "V100", "T4", "A100", "A10", "H100", "mixed", "unknown"])
def test_by_compute_capability(cards, policy):
    assert policy_for(cards) == policy


def test_what_was_asked_for_is_kept_and_auto_is_printed(caplog, monkeypatch):
    assert auto_precision("mixed_float16") == "mixed_float16"
    with caplog.at_level(logging.INFO, logger="absl"):
        assert auto_precision("auto") == "float32"
        config = "landmark_zoo.training.precision.tf.config"
        monkeypatch.setattr(f"{config}.get_visible_devices", lambda _: ["card"])
        monkeypatch.setattr(f"{config}.experimental.get_device_details",
                            lambda _: {"device_name": "A100", "compute_capability": (8, 0)})
        assert auto_precision("auto") == "mixed_bfloat16"
    assert [record.getMessage() for record in caplog.records] == [
        "--precision=auto: float32 on the CPU.",
        "--precision=auto: mixed_bfloat16 on A100 (compute capability 8.0)."]


def trial(seconds, slow_steps=()):
    """Returns what a trial chooses and its steps, which take so many seconds by its clock, the numbered ones 100 times."""
    now, made = [0.0], []

    def make_step(policy):
        def step():
            made.append(policy)
            now[0] += seconds[policy] * (100 if len(made) in slow_steps else 1)
        return step
    return precision_by_trial(make_step, can_gain=True, clock=lambda: now[0]), made


@pytest.mark.parametrize(("float32", "bfloat16", "chosen"), [
    (1.0, 0.5, "mixed_bfloat16"), (1.06, 1.0, "mixed_bfloat16"), (1.04, 1.0, "float32"), (1.0, 3.0, "float32")])
def test_the_faster_by_five_percent_is_chosen(float32, bfloat16, chosen):
    assert trial({"float32": float32, "mixed_bfloat16": bfloat16})[0] == chosen


def test_the_first_step_and_outliers_do_not_count_and_both_speeds_are_said(caplog):
    with caplog.at_level(logging.INFO, logger="absl"):
        chosen, made = trial({"float32": 0.5, "mixed_bfloat16": 0.25}, slow_steps=(2, 6, 8))
    assert chosen == "mixed_bfloat16"
    assert made == ["float32", "mixed_bfloat16"] * 6
    assert caplog.messages == ["--precision=auto: mixed_bfloat16; 2 steps/s in float32, 4 steps/s in mixed_bfloat16."]


def test_no_trial_where_nothing_can_be_gained():
    assert precision_by_trial(lambda policy: pytest.fail("a model was built"), can_gain=False) == "float32"


def test_a_loss_that_is_not_finite_ends_the_trial():
    def make_step(policy):
        def step():
            raise UserError("a finite loss", "NaN", "Lower --learning_rate.")
        return step
    assert precision_by_trial(make_step, can_gain=True) == "float32"


@pytest.mark.parametrize("chief", [0.9, 1.2])
def test_the_chief_decides_for_all(monkeypatch, chief):
    monkeypatch.setattr("landmark_zoo.training.precision.broadcast", lambda value: chief)
    chosen = trial({"float32": 1.0, "mixed_bfloat16": 1.0})[0]
    assert chosen == ("mixed_bfloat16" if chief > 1.05 else "float32")


@pytest.mark.parametrize(("flags", "gain"), [
    ("fpu amx_bf16 amx_tile", True), ("fpu avx512_bf16 sse", True), ("fpu avx512f sse", False), ("xamx_bf16", False)])
def test_by_the_flags_of_the_cpu(tmp_path, flags, gain):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: amx_bf16\nflags\t\t: {flags}\nbugs\t: amx_bf16\n")
    assert bfloat16_can_gain(tmp_path / "cpuinfo") == gain
    assert not bfloat16_can_gain(tmp_path / "absent")


def test_by_the_capability_of_the_gpus(tmp_path, monkeypatch):
    cards = {"A100": (8, 0), "T4": (7, 5)}
    config = "landmark_zoo.training.precision.tf.config"
    monkeypatch.setattr(f"{config}.experimental.get_device_details", lambda card: {"compute_capability": cards[card]})
    for visible, gain in ((["A100"], True), (["A100", "T4"], False)):
        monkeypatch.setattr(f"{config}.get_visible_devices", lambda _, visible=visible: visible)
        assert bfloat16_can_gain(tmp_path / "absent") == gain


def test_halves_at_overflow_and_doubles_after_good_steps():
    scale, seen = LossScale(growth_steps=3), []
    for finite in (False, True, True, True, True, True, False, True):
        scale.update(tf.constant(finite))
        seen.append(float(scale.value) / 2**15)
    assert seen == [0.5, 0.5, 0.5, 1, 1, 1, 0.5, 0.5]


def test_unscales():
    scale = LossScale()
    scale.value.assign(4.0)
    gradient, = scale.unscale([tf.constant([8.0, 2.0], tf.float16)])
    assert gradient.dtype == tf.float32
    np.testing.assert_array_equal(gradient, [2.0, 0.5])


def test_gives_up_at_one():
    scale = LossScale()
    for _ in range(15):
        scale.update(tf.constant(False))
    assert float(scale.value) == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite"):
        scale.update(tf.constant(False))
