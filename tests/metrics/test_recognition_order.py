"""The order of predictions."""

import pytest

from landmark_zoo.metrics.recognition_order import recognition_order

SOLUTION = {"a": frozenset({7}), "b": frozenset(), "c": frozenset({7, 9})}


def test_ties_stand_by_picture():
    pictures, correct = recognition_order({"c": (9, 0.5), "b": (9, 0.5), "a": (8, 0.9), "other": (1, 1.0)}, SOLUTION)
    assert pictures == ["a", "b", "c"]
    assert correct.tolist() == [False, False, True]


def test_no_prediction():
    pictures, correct = recognition_order({}, SOLUTION)
    assert (pictures, correct.tolist()) == ([], [])


def test_a_confidence_has_to_be_finite():
    with pytest.raises(ValueError, match="finite confidences"):
        recognition_order({"a": (7, float("nan"))}, SOLUTION)
