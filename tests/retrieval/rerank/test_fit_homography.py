import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.retrieval.rerank.fit_homography import fit_homography


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
