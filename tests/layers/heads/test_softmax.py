"""The plain dense layer."""

import inspect

import numpy as np

from landmark_zoo.layers.heads import CosineHead, Softmax

EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)


def test_equals_loops():
    head = Softmax(5)
    head.build(EMBEDDINGS.shape)
    random = np.random.default_rng(1)
    head.set_weights([random.standard_normal((5, 8)), random.standard_normal(5)])
    kernel, bias = head.get_weights()
    expected = [[sum(x[d] * kernel[n, d] for d in range(8)) + bias[n] for n in range(5)] for x in EMBEDDINGS]
    np.testing.assert_allclose(head(EMBEDDINGS), expected, rtol=1e-5, atol=1e-5)


def test_nothing_is_normalised():
    head = Softmax(5)
    np.testing.assert_allclose(head(10 * EMBEDDINGS), 10 * head(EMBEDDINGS), rtol=1e-5)


def test_has_neither_scale_nor_margin():
    assert not {"scale", "margin"} & set(inspect.signature(Softmax.__init__).parameters)
    assert not issubclass(Softmax, CosineHead)


def test_parameters():
    head = Softmax(27)
    head.build([None, 512])
    assert head.count_params() == 512 * 27 + 27
