import numpy as np
import pytest

from landmark_zoo.retrieval.rerank.reranked import Reranked


def test_scores_in_another_order():
    done = Reranked(["b", "a"], np.array([2.0, np.nan]), [None, None])
    assert done.compared == 1
    np.testing.assert_array_equal(done.scores_of(["a", "b"]), [np.nan, 2.0])
    with pytest.raises(KeyError):
        done.scores_of(["c"])
