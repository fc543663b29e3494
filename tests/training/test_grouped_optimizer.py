"""Learning-rate multipliers are exact for every optimizer."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.grouped_optimizer import Group, GroupedOptimizer


def moved(optimizer, multipliers, steps=3, **settings):
    variables = [tf.Variable([1.0, 2.0]), tf.Variable([1.0, 2.0])]
    config = TrainingConfig(optimizer=optimizer, learning_rate=0.1, warmup_fraction=0.0, **settings)
    grouped = GroupedOptimizer([Group(str(i), [v], m) for i, (v, m) in enumerate(zip(variables, multipliers, strict=True))],
                               config, total_steps=1000)
    for _ in range(steps):
        grouped.apply([tf.constant([0.5, -1.0])] * len(grouped.trained))
    return [variable.numpy() - [1.0, 2.0] for variable in variables]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_three_times_the_rate_is_three_times_the_way(optimizer):
    once, thrice = moved(optimizer, (1.0, 3.0))
    np.testing.assert_allclose(thrice, 3 * once, rtol=1e-4)
    assert np.abs(once).max() > 0.1


def test_a_multiplier_of_zero_does_not_move():
    fixed, free = moved("adam", (0.0, 1.0))
    assert not fixed.any()
    assert free.all()


def test_equals_keras_adam():
    variable = tf.Variable([1.0, 2.0])
    keras = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(0.1, 1000))
    for _ in range(3):
        keras.apply_gradients([(tf.constant([0.5, -1.0]), variable)])
    np.testing.assert_allclose(moved("adam", (1.0, 1.0))[0], variable.numpy() - [1.0, 2.0], rtol=1e-5)


def test_clips_all_gradients_together():
    first, _ = moved("sgd", (1.0, 1.0), steps=1, clip_norm=0.1, momentum=0.0)
    norm = np.sqrt(2 * (0.5**2 + 1))
    np.testing.assert_allclose(first, -0.1 * np.array([0.5, -1.0]) * 0.1 / norm, rtol=1e-4)
