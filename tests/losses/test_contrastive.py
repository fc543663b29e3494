"""Both contrastive losses against loops."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.contrastive import contrastive_loss

ROUND = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], np.float32)


def by_loops(embeddings, labels, margin, form):
    terms = []
    for i, j in itertools.combinations(range(len(labels)), 2):
        apart = np.linalg.norm(embeddings[i] - embeddings[j]) if form == "squared" else 1 - embeddings[i] @ embeddings[j]
        power = 2 if form == "squared" else 1
        terms.append(0.5 * (apart if labels[i] == labels[j] else max(margin - apart, 0)) ** power)
    return np.mean(terms)


@pytest.mark.parametrize("form", ["squared", "linear"])
@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 0, 1], [0, 1, 2, 3, 4, 5, 6], [0] * 7], ids=["some", "none", "all"])
@pytest.mark.parametrize("margin", [0.4, 0.85, 1.3])
def test_equals_loops(form, labels, margin):
    embeddings = np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    np.testing.assert_allclose(contrastive_loss(embeddings, np.array(labels), margin, form),
                               by_loops(embeddings, labels, margin, form), rtol=1e-4)


def test_linear_worked_out_by_hand():
    loss = contrastive_loss(ROUND, np.array([0, 0, 1, 1]), 0.4, form="linear")
    np.testing.assert_allclose(loss, 0.5 * (0.2 + 0.2 + 0.36) / 6, rtol=1e-5)


@pytest.mark.parametrize(("distance", "margin", "same", "expected"), [
    (0.5, 0.7, True, 0.125), (0.5, 0.7, False, 0.02), (0.9, 0.7, False, 0), (0.5, 0.85, False, 0.06125)])
def test_one_pair_worked_out_by_hand(distance, margin, same, expected):
    angle = 2 * np.arcsin(distance / 2)
    pair = np.array([[1, 0], [np.cos(angle), np.sin(angle)]], np.float32)
    np.testing.assert_allclose(contrastive_loss(pair, np.array([0, 0 if same else 1]), margin), expected, atol=1e-6)


def test_margin_of_the_linear_form_is_half_a_squared_distance():
    labels = np.arange(4)
    apart = 0.5 * np.linalg.norm(ROUND[0] - ROUND[1]) ** 2
    assert float(contrastive_loss(ROUND[:2], labels[:2], apart + 0.01, form="linear")) == pytest.approx(0.005, rel=1e-3)
    assert float(contrastive_loss(ROUND[:2], labels[:2], apart - 0.01, form="linear")) == 0


def test_a_picture_that_is_there_twice_is_no_fault():
    twice = tf.constant([[1.0, 0], [1, 0], [0, 1], [1, 0]])
    with tf.GradientTape() as tape:
        tape.watch(twice)
        loss = contrastive_loss(twice, [0, 0, 1, 2], 0.7)
    assert np.isfinite(tape.gradient(loss, twice)).all()


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="expected form 'squared' or 'linear'; received 'cosine'"):
        contrastive_loss(ROUND, np.arange(4), 0.7, form="cosine")
    with pytest.raises(ValueError, match="expected margin > 0; received 0"):
        contrastive_loss(ROUND, np.arange(4), 0)
