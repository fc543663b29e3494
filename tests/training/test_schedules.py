"""The learning rate over a run."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.training.config import SCHEDULES, TrainingConfig
from landmark_zoo.training.schedules import LearningRate, learning_rate_factor

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
