"""Average precision of bins against loops, and against that of the ranking."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.listwise_ap import listwise_ap_loss, soft_bins
from landmark_zoo.metrics.ranking import average_precision


def near(labels, spread, seed=0):
    """Unit vectors of non-negative numbers, the closer together within a label the smaller the spread."""
    random = np.random.default_rng(seed)
    centres = np.abs(random.standard_normal((max(labels) + 1, 6)))
    vectors = np.abs(centres[labels] + spread * random.standard_normal((len(labels), 6)))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def by_loops(embeddings, labels, bins):
    """Equations of the paper, one query, one bin, one picture at a time."""
    centres = [1 - 2 * m / (bins - 1) for m in range(bins)]
    losses = []
    for q, query in enumerate(embeddings):
        others = [i for i in range(len(labels)) if i != q]
        positives = sum(labels[i] == labels[q] for i in others)
        if not positives:
            continue
        ranked = found = precision_times_recall = 0
        for center in centres:
            members = []
            for i in others:
                distance = abs(float(query @ embeddings[i]) - center) * (bins - 1) / 2
                members.append((labels[i] == labels[q], max(0, 1 - distance)))
            ranked += sum(member for _, member in members)
            here = sum(member for alike, member in members if alike)
            found += here
            precision_times_recall += found / ranked * here / positives if ranked else 0
        losses.append(1 - precision_times_recall)
    return np.mean(losses) if losses else 0


@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6], [0] * 7])
@pytest.mark.parametrize("bins", [2, 5, 25])
def test_equals_loops(labels, bins):
    embeddings = np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    np.testing.assert_allclose(listwise_ap_loss(embeddings, np.array(labels), bins), by_loops(embeddings, labels, bins),
                               rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("spread", [0.2, 0.5, 0.8])
def test_many_bins_come_near_the_average_precision_of_the_ranking(spread):
    labels = np.repeat(np.arange(4), 5)
    embeddings = near(labels, spread)
    precisions = []
    for q in range(20):
        others = np.delete(np.arange(20), q)
        order = others[np.argsort(-(embeddings[others] @ embeddings[q]), kind="stable")]
        precisions.append(average_precision(np.flatnonzero(labels[order] == labels[q]), 4, "finite_sum"))
    assert 0.3 < np.mean(precisions) < 1
    np.testing.assert_allclose(1 - listwise_ap_loss(embeddings, labels, bins=5_000), np.mean(precisions), atol=0.03)


@pytest.mark.parametrize(("loss", "embeddings"), [
    (0, [[1, 0], [1, 0], [0, 1], [0, 1]]), (1 - 1 / 3, [[1, 0], [1, 0], [1, 0], [1, 0]])])
def test_worked_out_by_hand(loss, embeddings):
    """Perfect order; and all tied, where one of three others is right."""
    np.testing.assert_allclose(listwise_ap_loss(np.array(embeddings, np.float32), np.array([0, 0, 1, 1])), loss, atol=1e-6)


def test_positives_at_a_right_angle_and_beyond_are_pulled_in():
    """With bins from 0 on, as in the authors' code, nothing would move them."""
    x = tf.constant([[1.0, 0.0], [-0.6, 0.8], [0.8, 0.6]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = listwise_ap_loss(x, [0, 0, 1])
    assert np.abs(tape.gradient(loss, x)[1]).max() > 0


def test_images_without_partner_rank_but_do_not_ask():
    embeddings = near(np.array([0, 0, 1]), 0.1)
    assert float(listwise_ap_loss(embeddings[:2], [0, 0])) == pytest.approx(0, abs=1e-6)
    intruder = np.concatenate([embeddings[:2], embeddings[:1]])
    assert float(listwise_ap_loss(intruder, [0, 0, 1])) > 0.2


def test_bins_share_each_similarity():
    similarities = tf.linspace(-1.5, 1.5, 61)
    members = soft_bins(similarities, 25).numpy()
    np.testing.assert_allclose(members.sum(axis=1), 1, rtol=1e-5)
    assert (np.count_nonzero(members > 1e-6, axis=1) <= 2).all()
    assert members[similarities.numpy() <= -1, -1].all()
    assert members[similarities.numpy() >= 1, 0].all()


def test_bins_are_checked():
    with pytest.raises(ValueError, match="expected bins >= 2; received 1"):
        listwise_ap_loss(np.eye(2, dtype=np.float32), [0, 0], bins=1)
