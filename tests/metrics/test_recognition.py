import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.metrics.recognition import (
    global_average_precision,
    global_average_precision_interval,
    recognition_order,
)


def official(predictions, solution):
    """The loop of GLDv2's authors: by confidence, then id, then class."""
    by_key = sorted(predictions.items(), key=lambda item: (item[0], item[1][0]))
    hits = total = 0
    for place, (image, (landmark, _)) in enumerate(sorted(by_key, key=lambda item: item[1][1], reverse=True), start=1):
        if landmark in solution[image]:
            hits += 1
            total += hits / place
    return total / sum(bool(landmarks) for landmarks in solution.values())


@pytest.mark.parametrize(("positives", "expected"), [(2, 0.833333), (3, 0.555556)])
def test_published_vectors(positives, expected):
    solution = {"a": frozenset({1}), "b": frozenset(), "c": frozenset({1, 2}), "d": frozenset({3} if positives == 3 else ())}
    predictions = {"a": (1, 0.9), "b": (1, 0.8), "c": (2, 0.7)}
    assert global_average_precision(predictions, solution) == pytest.approx(expected, abs=1e-6)


def test_images_without_a_landmark_count_as_wrong_and_silence_does_not():
    solution = {"a": frozenset({1}), "none": frozenset()}
    assert global_average_precision({"a": (1, 0.5), "none": (1, 0.9)}, solution) == 0.5
    assert global_average_precision({"a": (1, 0.5)}, solution) == 1.0
    assert global_average_precision({}, solution) == 0.0


def test_without_landmarks_there_is_no_figure():
    assert math.isnan(global_average_precision({"a": (1, 0.5)}, {"a": frozenset()}))


IMAGES = st.sampled_from("abcdefgh")


@given(st.dictionaries(IMAGES, st.tuples(st.integers(0, 3), st.sampled_from([0.1, 0.5, 0.9]))),
       st.lists(st.frozensets(st.integers(0, 3), max_size=2), min_size=8, max_size=8).filter(any))
def test_equals_the_official_loop(predictions, landmarks):
    solution = dict(zip("abcdefgh", landmarks, strict=True))
    assert global_average_precision(predictions, solution) == pytest.approx(official(predictions, solution))


SOLUTION = {f"p{number:03d}": frozenset({number % 5} if number % 3 else ()) for number in range(120)}


def made_up_predictions(random):
    return {image: (int(random.integers(5)) if number % 2 else number % 5, float(random.uniform()))
            for number, image in enumerate(SOLUTION) if number % 7}


PREDICTIONS = made_up_predictions(np.random.default_rng(0))


def test_equals_drawing_images_one_by_one():
    value, low, high = global_average_precision_interval(PREDICTIONS, SOLUTION, seed=1)
    assert value == global_average_precision(PREDICTIONS, SOLUTION)
    images, drawn, random = list(SOLUTION), [], np.random.default_rng(2)
    for _ in range(1500):
        chosen = [(images[place], copy) for copy, place in enumerate(random.integers(120, size=120))]
        drawn.append(global_average_precision(
            {f"{name}/{copy}": PREDICTIONS[name] for name, copy in chosen if name in PREDICTIONS},
            {f"{name}/{copy}": SOLUTION[name] for name, copy in chosen}))
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.02)
    assert low < value < high


def test_same_seed_same_interval():
    first, second = (global_average_precision_interval(PREDICTIONS, SOLUTION) for _ in range(2))
    assert first == second


def test_without_landmarks_there_is_none():
    assert all(math.isnan(value) for value in global_average_precision_interval({}, {"a": frozenset()}))


@pytest.mark.parametrize("wrong", [{"resamples": 10}, {"level": 1.0}])
def test_bad_arguments(wrong):
    with pytest.raises(ValueError, match=r"Expected .* received"):
        global_average_precision_interval(PREDICTIONS, SOLUTION, **wrong)


LANDMARKS = {"a": frozenset({7}), "b": frozenset(), "c": frozenset({7, 9})}


def test_ties_stand_by_image():
    images, correct = recognition_order({"c": (9, 0.5), "b": (9, 0.5), "a": (8, 0.9), "other": (1, 1.0)}, LANDMARKS)
    assert images == ["a", "b", "c"]
    assert correct.tolist() == [False, False, True]


def test_no_prediction():
    images, correct = recognition_order({}, LANDMARKS)
    assert (images, correct.tolist()) == ([], [])


def test_a_confidence_has_to_be_finite():
    with pytest.raises(ValueError, match="finite confidences"):
        recognition_order({"a": (7, float("nan"))}, LANDMARKS)
