"""Checkpoints."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import build_model
from landmark_zoo.training.checkpoints import Checkpoints, load_weights
from landmark_zoo.training.weight_averages import WeightAverages


def built(embedding_dim=4):
    return build_model("mobilenet", alpha=0.25, embedding_dim=embedding_dim)


def test_latest_and_initial(tmp_path):
    model, step = built(), tf.Variable(0, dtype=tf.int64)
    checkpoints = Checkpoints(tmp_path, model, step=step)
    assert not checkpoints.restore()
    checkpoints.save_initial()
    first = model.get_weights()
    for number in (1, 2, 3):
        model.set_weights([value + 1 for value in model.get_weights()])
        step.assign(number)
        checkpoints.save(number)
    assert len(list((tmp_path / "checkpoints").glob("*.index"))) == 2
    other = built()
    assert load_weights(other, tmp_path) == 3
    np.testing.assert_allclose(other.get_weights()[0], first[0] + 3, rtol=1e-6)
    assert load_weights(other, tmp_path, "initial") == 0
    np.testing.assert_array_equal(other.get_weights()[0], first[0])
    assert Checkpoints(tmp_path, other, step=step).restore()
    assert step == 3


def test_none_yet(tmp_path):
    with pytest.raises(UserError, match=r"a latest checkpoint in .*; received none. Train first"):
        load_weights(built(), tmp_path)


def test_of_another_model(tmp_path):
    step = tf.Variable(0, dtype=tf.int64)
    Checkpoints(tmp_path, built(), step=step).save(0)
    for other in (built(embedding_dim=5), build_model("mobilenet", "se", alpha=0.25, embedding_dim=4)):
        with pytest.raises(UserError, match="one of another model"):
            load_weights(other, tmp_path)
        with pytest.raises(UserError, match="one of another model"):
            Checkpoints(tmp_path, other, step=step).restore()


def test_latest_is_the_average_where_there_is_one(tmp_path):
    model = built()
    averages = WeightAverages(model, 0.5)
    checkpoints = Checkpoints(tmp_path, model, step=tf.Variable(7, dtype=tf.int64), averages=averages)
    checkpoints.save_initial()
    for average in averages.values:
        average.assign_add(tf.ones_like(average))
    checkpoints.save(7)
    raw, read = model.get_weights(), built()
    for which, shift, step in (("latest", 1, 7), ("raw", 0, 7), ("initial", 0, 0)):
        assert load_weights(read, tmp_path, which) == step
        for left, right in zip(read.get_weights(), raw, strict=True):
            np.testing.assert_array_equal(left, right + shift)
