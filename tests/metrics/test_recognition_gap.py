"""Global average precision against published vectors and the authors' loop."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.metrics.recognition_gap import recognition_gap


def official(predictions, solution):
    """The loop of GLDv2's authors: by confidence, then id, then class."""
    by_key = sorted(predictions.items(), key=lambda item: (item[0], item[1][0]))
    hits = total = 0
    for place, (picture, (landmark, _)) in enumerate(sorted(by_key, key=lambda item: item[1][1], reverse=True), start=1):
        if landmark in solution[picture]:
            hits += 1
            total += hits / place
    return total / sum(bool(landmarks) for landmarks in solution.values())


@pytest.mark.parametrize(("positives", "expected"), [(2, 0.833333), (3, 0.555556)])
def test_published_vectors(positives, expected):
    solution = {"a": frozenset({1}), "b": frozenset(), "c": frozenset({1, 2}), "d": frozenset({3} if positives == 3 else ())}
    predictions = {"a": (1, 0.9), "b": (1, 0.8), "c": (2, 0.7)}
    assert recognition_gap(predictions, solution) == pytest.approx(expected, abs=1e-6)


def test_pictures_without_a_landmark_count_as_wrong_and_silence_does_not():
    solution = {"a": frozenset({1}), "none": frozenset()}
    assert recognition_gap({"a": (1, 0.5), "none": (1, 0.9)}, solution) == 0.5
    assert recognition_gap({"a": (1, 0.5)}, solution) == 1.0
    assert recognition_gap({}, solution) == 0.0


def test_without_landmarks_there_is_no_figure():
    assert math.isnan(recognition_gap({"a": (1, 0.5)}, {"a": frozenset()}))


PICTURES = st.sampled_from("abcdefgh")


@given(st.dictionaries(PICTURES, st.tuples(st.integers(0, 3), st.sampled_from([0.1, 0.5, 0.9]))),
       st.lists(st.frozensets(st.integers(0, 3), max_size=2), min_size=8, max_size=8).filter(any))
def test_equals_the_official_loop(predictions, landmarks):
    solution = dict(zip("abcdefgh", landmarks, strict=True))
    assert recognition_gap(predictions, solution) == pytest.approx(official(predictions, solution))
