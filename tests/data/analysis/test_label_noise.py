import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landmark_zoo.data.analysis.label_noise import JudgedImages, LabelNoise, label_noise


def nearest(vectors):
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -9)
    return np.argsort(-similarities, axis=1, kind="stable")[:, :-1]


def planted(seed=0, classes=4, each=12):
    random = np.random.default_rng(seed)
    centres = np.eye(classes, 16)
    vectors = np.repeat(centres, each, axis=0) + 0.05 * random.normal(size=(classes * each, 16))
    labels = np.repeat(np.arange(classes), each)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_label_noise_by_hand():
    vectors = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], np.float32)
    noise = label_noise(vectors, np.array([0, 0, 0, 1]), nearest(vectors))
    np.testing.assert_allclose(noise.strangeness, [1 - 0.7, 1 - 0.88, 1 - 0.78, np.nan], atol=1e-6)
    np.testing.assert_allclose(noise.disagreement, [0, 0, 0.5, np.nan])
    assert noise.likelier.tolist() == [0, 0, 1, 1]


def test_a_wrong_label_is_the_most_disputed_and_names_the_right_one():
    vectors, labels = planted()
    labels[5] = 2
    noise = label_noise(vectors, labels, nearest(vectors))
    assert np.nanargmax(noise.disagreement) == 5
    assert noise.likelier[5] == 0
    assert noise.disagreement[5] > 0.9


def test_outlier_is_the_strangest():
    vectors, labels = planted()
    vectors[30] = 0
    vectors[30, 15] = 1
    assert np.argmax(label_noise(vectors, labels, nearest(vectors)).strangeness) == 30


@given(st.integers(0, 100))
def test_strangeness_does_not_depend_on_block_rows(seed):
    vectors, labels = planted(seed, each=30)
    whole = label_noise(vectors, labels, nearest(vectors)).strangeness
    parts = label_noise(vectors, labels, nearest(vectors), block_rows=7).strangeness
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_a_single_image_cannot_be_judged():
    noise = label_noise(np.ones((1, 1), np.float32), np.array([0]), np.zeros((1, 0), np.int64))
    assert np.isnan(noise.strangeness).all()
    assert np.isnan(noise.disagreement).all()


def test_orders_by_doubt_and_leaves_out_what_cannot_be_judged():
    noise = LabelNoise(np.array([0.1, np.nan, 0.5, 0.3], np.float32), np.array([1, np.nan, 0, 1], np.float32),
                       np.array([1, 0, 0, 1]))
    judged = JudgedImages(np.arange(4), noise, ["a", "b"])
    assert judged.strangest().tolist() == [2, 3, 0]
    assert judged.most_disputed().tolist() == [3, 0], "equal ones by strangeness; the undisputed not at all"
