import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.geometric import (
    GeometricReranker,
    Patches,
    fit_homography,
    mutual_matches,
    patch_similarity,
)
from landmark_zoo.retrieval.rerank.local_features import SIFT

TRUTH = np.array([[0.9, 0.1, 12.0], [-0.05, 0.95, 8.0], [1e-4, 0, 1]])


@pytest.fixture(scope="module")
def images(walls):
    turned = cv2.warpPerspective(walls[0], TRUTH, (320, 240), borderValue=(200, 200, 200))
    return {"other": walls[1], "turned": turned, "flat": np.full((240, 320, 3), 90, np.uint8), "same": walls[0]}


@pytest.fixture(scope="module")
def reranked(walls, images):
    return GeometricReranker(SIFT(), min_inliers=10).rerank(walls[0], list(images), images.__getitem__)


def test_the_same_wall_comes_first(reranked):
    assert reranked.ids == ["same", "turned", "other", "flat"]
    assert reranked.scores[1] > 50
    assert reranked.scores[2:].tolist() == [0, 0]


def test_the_homography_is_that_of_the_camera(reranked):
    geometry = reranked.geometry[1]
    np.testing.assert_allclose(geometry.homography / geometry.homography[2, 2], TRUTH, rtol=0.1, atol=0.6)
    assert len(geometry.query_points) == len(geometry.candidate_points) == reranked.scores[1]
    assert reranked.geometry[2] is None


def test_an_image_and_itself_share_every_keypoint(walls):
    reranker = GeometricReranker(SIFT())
    found = reranker.describe(walls[0])
    assert reranker.compare(found, found)[0] == len(found)


def test_too_few_inliers_count_as_none(walls, images):
    plain, strict = GeometricReranker(SIFT()), GeometricReranker(SIFT(), min_inliers=10_000)
    query, candidate = plain.describe(walls[0]), plain.describe(images["turned"])
    assert plain.compare(query, candidate)[0] > 0
    assert strict.compare(query, candidate) == (0.0, None)


def test_seeded(walls, images):
    scores = [GeometricReranker(SIFT(), seed=3).rerank(walls[0], list(images), images.__getitem__).scores
              for _ in range(2)]
    np.testing.assert_array_equal(*scores)


def project(points, homography):
    mapped = np.c_[points, np.ones(len(points))] @ homography.T
    return (mapped[:, :2] / mapped[:, 2:]).astype(np.float32)


def points(count, seed):
    return (np.random.default_rng(seed).random((count, 2)) * 500).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(st.floats(-0.3, 0.3), st.floats(0.6, 1.6), st.floats(-2e-4, 2e-4), st.integers(0, 100))
def test_finds_the_plane_among_wrong_matches(angle, scale, tilt, seed):
    cosine, sine = scale * np.cos(angle), np.sin(angle)
    truth = np.array([[cosine, -sine, 20], [sine, cosine, -10], [tilt, tilt, 1]])
    query = points(60, seed)
    candidate = np.concatenate([project(query[:40], truth), points(20, seed + 1000)])
    found = fit_homography(query, candidate, 2.0)
    assert 40 <= len(found.query_points) <= 43
    np.testing.assert_allclose(project(query[:40], found.homography), candidate[:40], atol=0.5)
    np.testing.assert_allclose(project(found.query_points, found.homography), found.candidate_points, atol=3)


def test_identity():
    query = points(20, 3)
    found = fit_homography(query, query, 1.0)
    assert len(found.query_points) == 20
    np.testing.assert_allclose(found.homography / found.homography[2, 2], np.eye(3), atol=1e-3)


@pytest.mark.parametrize("count", [0, 3])
def test_four_matches_are_needed(count):
    assert fit_homography(points(count, 0), points(count, 0), 3.0) is None


def test_matches_on_one_spot_are_no_plane():
    assert fit_homography(np.ones((9, 2), np.float32), np.ones((9, 2), np.float32), 3.0) is None


def test_the_seed_settles_the_result():
    query, candidate = points(80, 1), np.concatenate([points(80, 1)[:30] * 1.1, points(50, 2)]).astype(np.float32)
    first, again = (fit_homography(query, candidate, 3.0, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.homography, again.homography)
    np.testing.assert_array_equal(first.query_points, again.query_points)


def unit(rows, columns, seed):
    vectors = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def naive(query, candidate, ratio):
    pairs = []
    for i, vector in enumerate(query):
        distances = np.linalg.norm(candidate.astype(float) - vector, axis=1)
        order = np.argsort(distances)
        back = np.argmin(np.linalg.norm(query.astype(float) - candidate[order[0]], axis=1))
        if distances[order[0]] <= ratio * distances[order[1]] and back == i:
            pairs.append((i, order[0]))
    return pairs


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(2, 12), st.sampled_from([0.7, 0.8, 0.95, 1.0]), st.integers(0, 1000))
def test_equals_naive_loops(rows, others, ratio, seed):
    query, candidate = unit(rows, 5, seed), unit(others, 5, seed + 1)
    assert [tuple(pair) for pair in mutual_matches(query, candidate, ratio)] == naive(query, candidate, ratio)


def test_a_set_matches_itself():
    vectors = unit(30, 16, 0)
    assert (mutual_matches(vectors, vectors, 0.8) == np.arange(30)[:, np.newaxis]).all()


def test_many_to_one_is_one():
    query = np.array([[1, 0], [0.99, 0.141], [0.98, 0.199]], np.float32)
    candidate = np.array([[1, 0], [-1, 0]], np.float32)
    assert mutual_matches(query, candidate, 0.8).tolist() == [[0, 0]]


def test_too_few():
    assert mutual_matches(unit(0, 4, 0), unit(5, 4, 0), 0.8).shape == (0, 2)
    assert mutual_matches(unit(5, 4, 0), unit(1, 4, 0), 0.8).shape == (0, 2)


def test_features_of_two_lengths():
    with pytest.raises(ValueError, match="one length; received 4 and 5"):
        mutual_matches(unit(3, 4, 0), unit(3, 5, 0), 0.8)


def test_worked_by_hand():
    query = np.array([[1, 0], [0, 1]], np.float32)
    candidate = np.array([[0.6, 0.8], [1, 0], [0, -1]], np.float32)
    score, best = patch_similarity(query, candidate)
    assert score == pytest.approx((1 + 0.8) / 2)
    assert best.tolist() == [1, 0]
    assert patch_similarity(candidate, query).score == pytest.approx((0.8 + 1 + 0) / 3)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000))
def test_equal_images_have_one_in_any_order(seed):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(9, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert patch_similarity(vectors, vectors[random.permutation(9)]).score == pytest.approx(1, abs=1e-5)


def test_patches_the_same_wall_comes_first(local_model, walls):
    images = {"other": walls[1], "same": walls[0]}
    done = Patches(local_model).rerank(walls[0], list(images), images.__getitem__)
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
