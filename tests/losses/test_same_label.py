"""Equal labels."""

import numpy as np
import pytest

from landmark_zoo.losses.same_label import same_label


@pytest.mark.parametrize("labels", [[3, 1, 3], np.array([3, 1, 3], np.int64), np.array([3, 1, 3], np.int32)])
def test_pairs(labels):
    assert same_label(labels).numpy().tolist() == [[True, False, True], [False, True, False], [True, False, True]]


@pytest.mark.parametrize("labels", [[0.5, 1.0], [[1, 2]], 3])
def test_anything_else_is_refused(labels):
    with pytest.raises(ValueError, match=r"expected int labels \[B\]; received"):
        same_label(labels)
