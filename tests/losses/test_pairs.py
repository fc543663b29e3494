import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from landmark_zoo.losses.pairs import batch_triplet_loss, contrastive_loss, pairwise_distances, same_label

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


def test_an_image_that_is_there_twice_is_no_fault():
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
def test_batch_triplet_equals_loops(mining, by_loops, labels, squared):
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
    embeddings = tf.constant(ROUND)
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = batch_triplet_loss(embeddings, labels, 0.2, mining)
    assert float(loss) == 0
    np.testing.assert_array_equal(tape.gradient(loss, embeddings), 0)


@pytest.mark.parametrize("mining", ["semihard", "hard"])
def test_batch_triplet_an_image_that_is_there_twice_is_no_fault(mining):
    embeddings = tf.constant(ROUND[[0, 0, 0, 1]])
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = batch_triplet_loss(embeddings, [0, 0, 1, 1], 0.2, mining)
    gradient = tape.gradient(loss, embeddings).numpy()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() < 10


def test_without_a_partner_an_image_pushes_nobody():
    loss = batch_triplet_loss(ROUND[[0, 0, 2, 2, 2]], [0, 0, 1, 2, 1], 0.2, mining="hard")
    np.testing.assert_allclose(loss, (0.2 + 0.2) / 5, atol=1e-5)


def test_works_on_replicas():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    run = tf.function(lambda: strategy.run(lambda: batch_triplet_loss(ROUND, [0, 0, 1, 1], 0.2, "hard")))
    np.testing.assert_allclose(run(), 0.274806, atol=1e-5)


@pytest.fixture(scope="module")
def addons():
    return pytest.importorskip("tensorflow_addons", reason="tensorflow-addons stops at TensorFlow 2.15").losses


def by_addons(addons, mining, labels, embeddings, margin, squared):
    """Their loss, without what images of a landmark's only image add to it there: a push with the distance to themselves."""
    distances = pairwise_distances(embeddings, squared)
    if mining == "semihard":
        return addons.triplet_semihard_loss(labels, embeddings, margin, lambda x: pairwise_distances(x, squared))
    same = same_label(labels)
    alone = tf.reduce_sum(tf.cast(same, tf.int32), axis=1) == 1
    nearest = tf.reduce_min(tf.where(same, np.inf, distances), axis=1)
    pushes = tf.maximum(tf.linalg.diag_part(distances) - nearest + margin, 0)
    return (addons.triplet_hard_loss(labels, embeddings, margin, distance_metric=lambda x: pairwise_distances(x, squared))
            - tf.reduce_mean(tf.where(alone, pushes, 0)))


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("mining", ["semihard", "hard"])
@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.tuples(*[st.integers(-2, 2)] * 3)), min_size=3, max_size=12),
       st.sampled_from([0.0, 0.1, 0.5]))
def test_batch_triplet_equals_addons_on_a_grid_of_ties(addons, mining, squared, images, margin):
    labels, points = np.array([label for label, _ in images]), np.array([point for _, point in images], np.float32)
    assume(1 < len(set(labels)) < len(labels))
    embeddings = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-6)
    np.testing.assert_allclose(batch_triplet_loss(embeddings, labels, margin, mining, squared),
                               by_addons(addons, mining, labels, embeddings, margin, squared), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("mining", ["semihard", "hard"])
def test_batch_triplet_moves_embeddings_as_addons_do(addons, mining, squared):
    for seed in range(20):
        embeddings = tf.constant(unit(24, 8, seed=seed))
        labels = tf.constant(np.random.default_rng(seed).permutation(np.r_[:8, :8, 8:16]))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(embeddings)
            ours = batch_triplet_loss(embeddings, labels, 0.3, mining, squared)
            theirs = by_addons(addons, mining, labels, embeddings, 0.3, squared)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
        np.testing.assert_allclose(tape.gradient(ours, embeddings), tape.gradient(theirs, embeddings), atol=1e-6)


@pytest.mark.parametrize("squared", [False, True])
def test_batch_triplet_equals_addons_with_their_own_distance(addons, squared):
    embeddings, labels = unit(40, 16), np.random.default_rng(0).integers(0, 9, 40)
    assert min(np.bincount(labels)) > 1
    for mining, loss in (("semihard", addons.triplet_semihard_loss), ("hard", addons.triplet_hard_loss)):
        expected = loss(labels, embeddings, 0.2, distance_metric="squared-L2" if squared else "L2")
        np.testing.assert_allclose(batch_triplet_loss(embeddings, labels, 0.2, mining, squared), expected, rtol=1e-5)


def test_batch_triplet_arguments_are_checked():
    with pytest.raises(ValueError, match="expected mining 'semihard' or 'hard'; received 'soft'"):
        batch_triplet_loss(ROUND, [0, 0, 1, 1], 0.2, mining="soft")
    with pytest.raises(ValueError, match="expected margin >= 0; received -1"):
        batch_triplet_loss(ROUND, [0, 0, 1, 1], -1)


EMBEDDINGS = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


@pytest.mark.parametrize("squared", [False, True])
def test_pairwise_distances_equals_loops(squared):
    expected = [[np.linalg.norm(a - b) ** (2 if squared else 1) for b in EMBEDDINGS] for a in EMBEDDINGS]
    np.testing.assert_allclose(pairwise_distances(EMBEDDINGS, squared), expected, rtol=1e-4, atol=2e-3)


def test_many_dimensions_of_length_one():
    wide = np.random.default_rng(0).standard_normal((4, 2048)).astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    wide[1] = wide[0]
    distances = pairwise_distances(wide).numpy()
    assert distances[0, 1] <= 0.002
    np.testing.assert_allclose(distances[0, 2], np.linalg.norm(wide[0] - wide[2]), rtol=1e-5)


@pytest.mark.parametrize("gap", [0, 1e-7, 1e-5, 1e-4, 1e-3])
def test_gradient_is_never_longer_than_that_of_a_distance(gap):
    x = tf.constant([[1.0, 0.0], [1.0, gap]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        distance = pairwise_distances(x)[0, 1]
    assert np.linalg.norm(tape.gradient(distance, x)[0]) <= 1.1


@pytest.mark.parametrize("labels", [[3, 1, 3], np.array([3, 1, 3], np.int64), np.array([3, 1, 3], np.int32)])
def test_pairs(labels):
    assert same_label(labels).numpy().tolist() == [[True, False, True], [False, True, False], [True, False, True]]


@pytest.mark.parametrize("labels", [[0.5, 1.0], [[1, 2]], 3])
def test_anything_else_is_refused(labels):
    with pytest.raises(ValueError, match=r"expected int labels \[B\]; received"):
        same_label(labels)
