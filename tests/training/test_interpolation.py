"""Weights between the start and the trained network."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.training.checkpoints import Checkpoints, kept_factor, load_weights
from landmark_zoo.training.ema import ExponentialMovingAverage
from landmark_zoo.training.interpolation import interpolate_model, preserved


class Counted(tf.keras.layers.Layer):
    """A layer with a weight that is no floating-point number."""

    def build(self, _):
        self.count = self.add_weight(name="count", shape=[], dtype=tf.int64, initializer="zeros", trainable=False)

    def call(self, inputs):
        return inputs


def small(value=0.0):
    """A network with BatchNorm and a counter, whose weights are random numbers from a seed, plus a value."""
    model = tf.keras.Sequential([tf.keras.Input([3]), tf.keras.layers.Dense(2), tf.keras.layers.BatchNormalization(),
                                 Counted()])
    random = np.random.default_rng(3)
    model.set_weights([random.normal(size=weight.shape).astype(weight.dtype) + np.asarray(value, weight.dtype)
                       for weight in model.get_weights()])
    return model


def test_equals_numpy_with_batchnorm_statistics_and_without_counters():
    model = small()
    start = model.get_weights()
    end = [weight * 3 + 2 for weight in start]
    model.set_weights(end)
    interpolate_model(model, lambda: model.set_weights(start), 0.25)
    names = [weight.name.split("/")[-1].split(":")[0] for weight in model.weights]
    assert {"kernel", "moving_mean", "moving_variance", "count"} <= set(names)
    for name, first, last, found in zip(names, start, end, model.get_weights(), strict=True):
        if name == "count":
            np.testing.assert_array_equal(found, last)
        else:
            np.testing.assert_allclose(found, 0.75 * first + 0.25 * last, rtol=1e-6)


def test_preserved():
    model = small()
    before = model.get_weights()
    with preserved(model):
        model.set_weights([weight + 1 for weight in before])
    for left, right in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)
    with pytest.raises(ValueError, match="shape"), preserved(model):  # in the middle of the weights
        model.set_weights([before[0] + 1, *([np.zeros([9])] * (len(before) - 1))])
    for left, right in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.fixture
def make_run(tmp_path):
    """Makes a folder of a run at step 7 with averages, with weights 4 (raw) and 8 (averages) above the start."""
    def make(**recipe):
        model = small()
        ema, step = ExponentialMovingAverage(model, 0.5), tf.Variable(0, dtype=tf.int64)
        checkpoints = Checkpoints(tmp_path, model, step=step, averages=ema)
        checkpoints.save_initial()
        checkpoints.save(0)
        if recipe.pop("trained", True):
            for average in ema.values:
                average.assign_add(8 * tf.ones_like(average))
            model.set_weights(small(4).get_weights())
            step.assign(7)
            checkpoints.save(7)
        if recipe:
            write_json(tmp_path / "recipe.json", recipe)
        return tmp_path
    return make


def shift(folder, which):
    """Returns the step, and how far the kernel that is loaded lies above that of the seed."""
    model = small(100)
    step = load_weights(model, folder, which)
    shifts = model.get_weights()[0] - small().get_weights()[0]
    np.testing.assert_allclose(shifts, shifts.flat[0], atol=1e-5)
    return step, pytest.approx(float(shifts.flat[0]), abs=1e-5)


def test_a_factor_of_the_recipe_moves_what_is_kept_where_nothing_was_measured(make_run):
    """The averages lie 8 from the start; the latest and the raw weights stay as they were trained."""
    folder = make_run(weight_interpolation="0.25")
    assert shift(folder, "kept") == (7, 2.0)
    assert shift(folder, "latest") == (7, 8.0)
    assert shift(folder, "raw") == (7, 4.0)
    assert shift(folder, "initial") == (0, 0.0)
    assert kept_factor(folder, 7) == 0.25


@pytest.mark.parametrize("recipe", [{}, {"epochs": 3}, {"weight_interpolation": "1"}, {"weight_interpolation": "auto"}])
def test_weights_stay_as_trained_without_a_factor(make_run, recipe):
    assert shift(make_run(**recipe), "kept") == (7, 8.0)


def test_before_the_first_step_the_start_is_kept(make_run):
    assert shift(make_run(weight_interpolation="0.25", trained=False), "kept") == (0, 0.0)


def test_a_start_that_is_lost_or_damaged_is_named(make_run):
    folder = make_run(weight_interpolation="0.25")
    data = folder / "initial" / "weights.data-00000-of-00001"
    data.write_bytes(bytes(byte ^ 1 for byte in data.read_bytes()))
    with pytest.raises(UserError, match=r"whole weights at .*initial/weights; received damaged ones"):
        load_weights(small(), folder)
    data.with_name("weights.index").unlink()
    with pytest.raises(UserError, match=r"whole weights at .*initial/weights; received damaged ones"):
        load_weights(small(), folder)
