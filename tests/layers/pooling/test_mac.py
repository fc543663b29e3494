"""The maximum over locations."""

import numpy as np

from landmark_zoo.layers.pooling import MAC

X0 = (0.1 * np.arange(1, 17)).reshape(1, 2, 2, 4).astype(np.float32)


def test_worked_out_by_hand():
    np.testing.assert_allclose(MAC()(X0), [[1.3, 1.4, 1.5, 1.6]], rtol=1e-6)


def test_equals_loops():
    features = np.random.default_rng(0).standard_normal((2, 7, 5, 3)).astype(np.float32)
    expected = [[max(image[i, j, c] for i in range(7) for j in range(5)) for c in range(3)] for image in features]
    np.testing.assert_allclose(MAC()(features), expected)


def test_has_no_parameters():
    layer = MAC()
    layer.build([None, None, None, 2048])
    assert layer.count_params() == 0
