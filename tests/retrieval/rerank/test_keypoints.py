import numpy as np
import pytest

from landmark_zoo.retrieval.rerank.keypoints import Keypoints


def test_length():
    assert len(Keypoints(np.zeros((3, 2), np.float32), np.zeros((3, 8), np.float32))) == 3


@pytest.mark.parametrize(("points", "vectors"), [((3, 2), (4, 8)), ((3, 3), (3, 8)), ((3, 2), (3,))])
def test_shapes_that_do_not_fit(points, vectors):
    with pytest.raises(ValueError, match=r"points \[N, 2\] and vectors \[N, D\]"):
        Keypoints(np.zeros(points, np.float32), np.zeros(vectors, np.float32))
