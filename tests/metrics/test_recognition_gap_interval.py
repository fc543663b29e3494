"""The interval of the global average precision."""

import math

import numpy as np
import pytest

from landmark_zoo.metrics.recognition_gap import recognition_gap
from landmark_zoo.metrics.recognition_gap_interval import recognition_gap_interval

RANDOM = np.random.default_rng(0)
SOLUTION = {f"p{number:03d}": frozenset({number % 5} if number % 3 else ()) for number in range(120)}
PREDICTIONS = {picture: (int(RANDOM.integers(5)) if number % 2 else number % 5, float(RANDOM.uniform()))
               for number, picture in enumerate(SOLUTION) if number % 7}


def test_equals_drawing_pictures_one_by_one():
    value, low, high = recognition_gap_interval(PREDICTIONS, SOLUTION, seed=1)
    assert value == recognition_gap(PREDICTIONS, SOLUTION)
    pictures, drawn = list(SOLUTION), []
    for _ in range(1500):
        chosen = [(pictures[place], copy) for copy, place in enumerate(RANDOM.integers(120, size=120))]
        drawn.append(recognition_gap({f"{name}/{copy}": PREDICTIONS[name] for name, copy in chosen if name in PREDICTIONS},
                                     {f"{name}/{copy}": SOLUTION[name] for name, copy in chosen}))
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.02)
    assert low < value < high


def test_same_seed_same_interval():
    assert recognition_gap_interval(PREDICTIONS, SOLUTION) == recognition_gap_interval(PREDICTIONS, SOLUTION)


def test_without_landmarks_there_is_none():
    assert all(math.isnan(value) for value in recognition_gap_interval({}, {"a": frozenset()}))


@pytest.mark.parametrize("wrong", [{"resamples": 10}, {"level": 1.0}])
def test_bad_arguments(wrong):
    with pytest.raises(ValueError, match=r"Expected .* received"):
        recognition_gap_interval(PREDICTIONS, SOLUTION, **wrong)
