import cv2
import numpy as np
import pytest

from landmark_zoo.retrieval.rerank.geometric_reranker import GeometricReranker
from landmark_zoo.retrieval.rerank.sift import SIFT

TRUTH = np.array([[0.9, 0.1, 12.0], [-0.05, 0.95, 8.0], [1e-4, 0, 1]])


@pytest.fixture(scope="module")
def photographs(walls):
    turned = cv2.warpPerspective(walls[0], TRUTH, (320, 240), borderValue=(200, 200, 200))
    return {"other": walls[1], "turned": turned, "flat": np.full((240, 320, 3), 90, np.uint8), "same": walls[0]}


@pytest.fixture(scope="module")
def reranked(walls, photographs):
    return GeometricReranker(SIFT(), min_inliers=10).rerank(walls[0], list(photographs), photographs.__getitem__)


def test_the_same_wall_comes_first(reranked):
    assert reranked.ids == ["same", "turned", "other", "flat"]
    assert reranked.scores[1] > 50
    assert reranked.scores[2:].tolist() == [0, 0]


def test_the_homography_is_that_of_the_camera(reranked):
    geometry = reranked.geometry[1]
    np.testing.assert_allclose(geometry.homography / geometry.homography[2, 2], TRUTH, rtol=0.1, atol=0.6)
    assert len(geometry.query_points) == len(geometry.candidate_points) == reranked.scores[1]
    assert reranked.geometry[2] is None


def test_a_photograph_and_itself_share_every_keypoint(walls):
    reranker = GeometricReranker(SIFT())
    found = reranker.describe(walls[0])
    assert reranker.compare(found, found)[0] == len(found)


def test_too_few_inliers_count_as_none(walls, photographs):
    plain, strict = GeometricReranker(SIFT()), GeometricReranker(SIFT(), min_inliers=10_000)
    query, candidate = plain.describe(walls[0]), plain.describe(photographs["turned"])
    assert plain.compare(query, candidate)[0] > 0
    assert strict.compare(query, candidate) == (0.0, None)


def test_seeded(walls, photographs):
    scores = [GeometricReranker(SIFT(), seed=3).rerank(walls[0], list(photographs), photographs.__getitem__).scores
              for _ in range(2)]
    np.testing.assert_array_equal(*scores)
