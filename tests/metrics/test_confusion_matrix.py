import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.metrics.confusion_matrix import confusion_matrix


def test_rows_are_true_classes():
    np.testing.assert_array_equal(confusion_matrix([0, 0, 2, 2, 2], [0, 1, 2, 2, 0], 3), [[1, 1, 0], [0, 0, 0], [1, 0, 2]])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4))))
def test_equals_counting(pairs):
    labels, predictions = np.array(pairs, dtype=int).reshape(-1, 2).T
    counts = confusion_matrix(labels, predictions, 5)
    assert all(counts[i, j] == sum((a, b) == (i, j) for a, b in pairs) for i in range(5) for j in range(5))


@pytest.mark.parametrize(("labels", "predictions"), [([0, 5], [0, 0]), ([0, 0], [0, -1]), ([0], [0, 1])])
def test_refuses_what_is_no_class(labels, predictions):
    with pytest.raises(ValueError, match=r"Expected .* received"):
        confusion_matrix(labels, predictions, 5)
