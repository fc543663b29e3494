"""Runs that start from others."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import LabelMap
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.checkpoints import Checkpoints
from landmark_zoo.training.ema import ExponentialMovingAverage
from landmark_zoo.training.history import create_or_check_run
from landmark_zoo.training.warm_start import warm_start

LABELS = LabelMap(["7", "12", "20"])
CONFIG = ModelConfig("mobilenet_se", embedding_dim=8, alpha=0.25)


def changed(**changes):
    return ModelConfig(**{**vars(CONFIG), **changes})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of step 5 whose weights are all 1 more than they began."""
    folder = tmp_path_factory.mktemp("run")
    model = CONFIG.build(3)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    create_or_check_run(folder, CONFIG, LABELS, {})
    Checkpoints(folder, model, step=tf.Variable(5, dtype=tf.int64)).save(5)
    return folder, model


def test_takes_everything_from_a_run_of_the_same_model(run):
    folder, source = run
    model = CONFIG.build(3)
    result = warm_start(model, folder, LABELS)
    assert not result.skipped
    for left, right in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.slow
def test_leaves_the_weights_of_another_form_of_a_method(tmp_path):
    older = changed(model="mobilenet_gsop_position", revision=1)
    create_or_check_run(tmp_path, older, LABELS, {})
    Checkpoints(tmp_path, older.build(3), step=tf.Variable(5, dtype=tf.int64)).save(5)
    assert warm_start(changed(model="mobilenet_gsop_position").build(3), tmp_path, LABELS).skipped == (
        "gsop_position (of other settings)",)
    assert not warm_start(older.build(3), tmp_path, LABELS).skipped


@pytest.mark.parametrize("labels", [
    LabelMap(["7", "12", "21"]), pytest.param(LabelMap(["1", "2", "3", "4"]), marks=pytest.mark.slow)])
def test_leaves_the_head_of_other_landmarks(run, labels):
    folder, source = run
    model = CONFIG.build(len(labels))
    before = model.get_layer("arcface").get_weights()[0]
    result = warm_start(model, folder, labels)
    assert [name.split()[0] for name in result.skipped] == ["arcface"]
    np.testing.assert_array_equal(model.get_layer("arcface").get_weights()[0], before)
    kernels = [of.get_layer("embedding").get_weights()[0] for of in (model, source)]
    np.testing.assert_array_equal(*kernels)


def test_takes_the_backbone_for_another_block_and_embedding(run):
    folder, source = run
    model = changed(model="mobilenet_eca", embedding_dim=16, head="cosface").build(3)
    result = warm_start(model, folder, LABELS)
    assert result.skipped == ("eca (not in that run)", "embedding (of other sizes)", "cosface (not in that run)")
    kernels = [of.get_layer("mobilenet").get_weights()[0] for of in (model, source)]
    np.testing.assert_array_equal(*kernels)


@pytest.mark.slow
def test_takes_the_averages_where_there_are_such(run, tmp_path):
    _, source = run
    create_or_check_run(tmp_path, CONFIG, LABELS, {})
    model = CONFIG.build(3)
    ema = ExponentialMovingAverage(source)
    Checkpoints(tmp_path, model, step=tf.Variable(5, dtype=tf.int64), averages=ema).save(5)
    warm_start(model, tmp_path, LABELS)
    np.testing.assert_array_equal(model.get_weights()[0], source.get_weights()[0])


@pytest.mark.parametrize("changes", [{"model": "resnet18_se"}, pytest.param({"alpha": 0.5}, marks=pytest.mark.slow)])
def test_another_backbone(run, changes):
    folder, _ = run
    model = changed(**changes).build(3)
    before = model.get_weights()
    with pytest.raises(UserError, match=r"a run with the backbone of .*; received one of mobilenet_se, of which"):
        warm_start(model, folder, LABELS)
    for left, right in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)


def test_no_run(tmp_path):
    with pytest.raises(UserError, match=r"a JSON file at .*model.json"):
        warm_start(CONFIG.build(3), tmp_path, LABELS)
