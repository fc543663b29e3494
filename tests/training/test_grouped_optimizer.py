"""Learning-rate multipliers are exact for every optimizer."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.grouped_optimizer import Group, GroupedOptimizer

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
    adam, = moved("adam", (1.0,), steps=1, shape=(1, 2), weight_decay=1e6)
    np.testing.assert_allclose(adam, [-0.1, -0.1], rtol=1e-4)
    adamw, = moved("adamw", (1.0,), steps=1, shape=(1, 2), weight_decay=0.5)
    without, = moved("adamw", (1.0,), steps=1, shape=(1, 2))
    np.testing.assert_allclose(adamw - without, -0.1 * 0.5 * np.array([1.0, 2.0]), rtol=1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_biases_do_not_decay(optimizer):
    np.testing.assert_array_equal(moved(optimizer, (1.0,), weight_decay=0.5)[0], moved(optimizer, (1.0,))[0])
