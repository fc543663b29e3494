"""What is no embedding."""

import numpy as np

from landmark_zoo.retrieval.embedding_faults import embedding_faults


def test_good_rows_have_no_fault():
    assert embedding_faults(np.array([[1, 0], [0.6, 0.8], [0.6005, 0.8]], np.float32)) == {}
    assert embedding_faults(np.zeros((0, 4), np.float32)) == {}


def test_each_bad_row_has_its_fault():
    vectors = np.array([[1, 0], [np.nan, 0], [0, 0], [np.inf, 1], [2, 0]], np.float32)
    faults = embedding_faults(vectors)
    assert list(faults) == [1, 2, 3, 4]
    assert "NaN" in faults[1]
    assert "NaN" in faults[3]
    assert "length 0.0000" in faults[2]
    assert "length 2.0000" in faults[4]
