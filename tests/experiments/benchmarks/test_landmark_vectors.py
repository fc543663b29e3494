import numpy as np

from experiments.benchmarks.landmark_vectors import landmark_vectors


def test_unit_vectors_in_clusters():
    one = landmark_vectors(500, 512, landmarks=1, seed=0)
    many = landmark_vectors(500, 512, landmarks=10**4, seed=0)
    assert one.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    others = ~np.eye(500, dtype=bool)
    assert abs((one @ one.T)[others].mean() - 0.67) < 0.03
    assert abs((many @ many.T)[others].mean()) < 0.03
    assert 0.1 < (many @ many.T)[others].std() < 0.25


def test_seeds_share_their_landmarks():
    index, queries = (landmark_vectors(2000, 64, landmarks=20, seed=seed) for seed in (0, 1))
    assert not np.array_equal(index, queries)
    assert ((queries @ index.T).max(axis=1) > 0.5).all()
    np.testing.assert_array_equal(index, landmark_vectors(2000, 64, landmarks=20, seed=0))
