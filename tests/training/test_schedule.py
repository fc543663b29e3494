"""The learning rate over a run."""

import math

import numpy as np
import pytest

from landmark_zoo.training.schedule import WarmupCosine


def test_worked_out_by_hand():
    schedule = WarmupCosine(0.8, total_steps=12, warmup_steps=4)
    rates = [float(schedule(step)) for step in (0, 1, 3, 4, 8, 12, 20)]
    np.testing.assert_allclose(rates, [0.2, 0.4, 0.8, 0.8, 0.4, 0, 0], atol=1e-7)


def test_falls_as_a_cosine_without_warmup():
    schedule = WarmupCosine(1.0, total_steps=100)
    np.testing.assert_allclose([float(schedule(step)) for step in range(100)],
                               [(1 + math.cos(math.pi * step / 100)) / 2 for step in range(100)], atol=1e-6)


def test_config_round_trip():
    schedule = WarmupCosine(0.8, 12, 4)
    assert WarmupCosine.from_config(schedule.get_config()).get_config() == schedule.get_config()


def test_warmup_longer_than_the_run():
    with pytest.raises(ValueError, match="warmup_steps < total_steps; received 12 and 12"):
        WarmupCosine(1.0, 12, 12)
