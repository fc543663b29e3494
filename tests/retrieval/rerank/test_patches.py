import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.patches import Patches, patch_similarity


def test_worked_by_hand():
    query = np.array([[1, 0], [0, 1]], np.float32)
    candidate = np.array([[0.6, 0.8], [1, 0], [0, -1]], np.float32)
    score, best = patch_similarity(query, candidate)
    assert score == pytest.approx((1 + 0.8) / 2)
    assert best.tolist() == [1, 0]
    assert patch_similarity(candidate, query).score == pytest.approx((0.8 + 1 + 0) / 3)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000))
def test_equal_pictures_have_one_in_any_order(seed):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(9, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert patch_similarity(vectors, vectors[random.permutation(9)]).score == pytest.approx(1, abs=1e-5)


def test_the_same_wall_comes_first(local_model, walls):
    photographs = {"other": walls[1], "same": walls[0]}
    done = Patches(local_model).rerank(walls[0], list(photographs), photographs.__getitem__)
    assert done.ids == ["same", "other"]
    assert done.scores[0] == pytest.approx(1, abs=1e-5)
    geometry = done.geometry[0]
    assert geometry.query_points.shape == (49, 2)
    np.testing.assert_array_equal(geometry.query_points, geometry.candidate_points)
    np.testing.assert_allclose(geometry.query_points[0], [320 / 14, 240 / 14], rtol=1e-5)
    assert geometry.homography is None


def test_a_model_without_local_features(tiny_model):
    with pytest.raises(UserError, match="Export the model again, or re-rank by SIFT"):
        Patches(tiny_model)
