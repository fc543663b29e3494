"""Mined triplets against loops, and what tensorflow-addons leaves to its caller."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.batch_triplet import batch_triplet_loss

ROUND = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], np.float32)


def unit(*shape, seed=0):
    vectors = np.random.default_rng(seed).standard_normal(shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def distances_of(embeddings, squared):
    return np.linalg.norm(embeddings[:, np.newaxis] - embeddings, axis=-1) ** (2 if squared else 1)


def semihard_by_loops(embeddings, labels, margin, squared):
    d, losses = distances_of(embeddings, squared), []
    for a in range(len(labels)):
        negatives = [d[a, n] for n in range(len(labels)) if labels[n] != labels[a]]
        for p in range(len(labels)):
            if p == a or labels[p] != labels[a]:
                continue
            farther = [x for x in negatives if x > d[a, p]]
            losses.append(max(d[a, p] - (min(farther) if farther else max(negatives)) + margin, 0))
    return np.mean(losses)


def hard_by_loops(embeddings, labels, margin, squared):
    d, losses = distances_of(embeddings, squared), []
    for a in range(len(labels)):
        positives = [d[a, p] for p in range(len(labels)) if p != a and labels[p] == labels[a]]
        negatives = [d[a, n] for n in range(len(labels)) if labels[n] != labels[a]]
        losses.append(max(max(positives) - min(negatives) + margin, 0) if positives else 0)
    return np.mean(losses)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 0, 0, 0, 1, 2, 3], [5, 5, 5, 5, 5, 5, 5, 1]])
@pytest.mark.parametrize(("mining", "by_loops"), [("semihard", semihard_by_loops), ("hard", hard_by_loops)])
def test_equals_loops(mining, by_loops, labels, squared):
    for seed in range(3):
        embeddings = unit(8, 3, seed=seed)
        np.testing.assert_allclose(batch_triplet_loss(embeddings, np.array(labels), 0.3, mining, squared),
                                   by_loops(embeddings, labels, 0.3, squared), rtol=1e-4, atol=1e-5)


def test_batch_hard_worked_out_by_hand():
    loss = batch_triplet_loss(ROUND, [0, 0, 1, 1], 0.2, mining="hard")
    np.testing.assert_allclose(loss, (0.549613 + 0.549613 + 0 + 0) / 4, atol=1e-5)


@pytest.mark.parametrize("mining", ["semihard", "hard"])
@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 0, 0, 0]], ids=["no positives", "no negatives"])
def test_no_triplet_costs_nothing_and_moves_nothing(mining, labels):
    """By itself tensorflow-addons gives NaN without positives and pulls at a batch of one landmark."""
    embeddings = tf.constant(ROUND)
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = batch_triplet_loss(embeddings, labels, 0.2, mining)
    assert float(loss) == 0
    np.testing.assert_array_equal(tape.gradient(loss, embeddings), 0)


@pytest.mark.parametrize("mining", ["semihard", "hard"])
def test_a_picture_that_is_there_twice_is_no_fault(mining):
    embeddings = tf.constant(ROUND[[0, 0, 0, 1]])
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = batch_triplet_loss(embeddings, [0, 0, 1, 1], 0.2, mining)
    gradient = tape.gradient(loss, embeddings).numpy()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() < 10


def test_without_a_partner_a_picture_pushes_nobody():
    loss = batch_triplet_loss(ROUND[[0, 0, 2, 2, 2]], [0, 0, 1, 2, 1], 0.2, mining="hard")
    np.testing.assert_allclose(loss, (0.2 + 0.2) / 5, atol=1e-5)


def test_works_on_replicas():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    run = tf.function(lambda: strategy.run(lambda: batch_triplet_loss(ROUND, [0, 0, 1, 1], 0.2, "hard")))
    np.testing.assert_allclose(run(), 0.274806, atol=1e-5)


def test_the_notice_of_the_end_of_tensorflow_addons_is_not_printed():
    command = "import landmark_zoo.losses.batch_triplet"
    done = subprocess.run([sys.executable, "-W", "always", "-c", command], capture_output=True, text=True, check=True)
    assert "TFA has entered" not in done.stderr


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="expected mining 'semihard' or 'hard'; received 'soft'"):
        batch_triplet_loss(ROUND, [0, 0, 1, 1], 0.2, mining="soft")
    with pytest.raises(ValueError, match="expected margin >= 0; received -1"):
        batch_triplet_loss(ROUND, [0, 0, 1, 1], -1)
