"""Losses of distillation against loops, gradients against finite differences, and the linear algebra against brute force."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.distillation import dot_product_projection, embedding_loss, rotation_onto, similarity_loss


def unit(rows, dimension, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def similarity_by_loops(embeddings, targets, temperature):
    """The formula of the docstring, one image and one neighbor at a time, in float64."""
    def neighbors(vectors, i):
        weights = {j: np.exp(float(np.float64(vectors[i]) @ vectors[j]) / temperature)
                   for j in range(len(vectors)) if j != i}
        return {j: weight / sum(weights.values()) for j, weight in weights.items()}
    total = 0.0
    for i in range(len(embeddings)):
        student, teacher = neighbors(embeddings, i), neighbors(targets, i)
        total += sum(p * (np.log(p) - np.log(student[j])) for j, p in teacher.items())
    return temperature * total / len(embeddings)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
@pytest.mark.parametrize(("count", "dimension", "of_teacher"), [(7, 4, 4), (5, 3, 9), (3, 6, 2)])
def test_similarity_equals_loops(count, dimension, of_teacher, temperature):
    embeddings, targets = unit(count, dimension), unit(count, of_teacher, seed=1)
    expected = similarity_by_loops(embeddings, targets, temperature)
    assert expected > 0.01
    np.testing.assert_allclose(similarity_loss(embeddings, targets, temperature), expected, rtol=1e-4)


def test_similarity_by_hand():
    """Cosines of 1-2, 1-3 and 2-3: the teacher's 1, 0, 0, the student's 0, 0, 1. At T = 1 the neighbors of image 1 have odds
    e : 1, the student's are even; those of image 2 e : 1 and 1 : e; those of image 3 are even, the student's 1 : e."""
    teacher, student = ([[1, 0], [1, 0], [0, 1]], [[1, 0], [0, 1], [0, 1]])
    near, far = np.e / (1 + np.e), 1 / (1 + np.e)
    first = near * np.log(near / 0.5) + far * np.log(far / 0.5)
    second = near * np.log(near / far) + far * np.log(far / near)
    third = 0.5 * np.log(0.5 / near) + 0.5 * np.log(0.5 / far)
    found = similarity_loss(np.array(student, np.float32), np.array(teacher, np.float32), temperature=1.0)
    np.testing.assert_allclose(found, (first + second + third) / 3, rtol=1e-5)


def test_embedding_by_hand():
    found = embedding_loss([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]], [[1.0, 0.0]] * 3)
    np.testing.assert_allclose(found, [0, 0.4, 2], atol=1e-6)


def test_embedding_equals_one_minus_the_cosine():
    embeddings, targets = unit(9, 16), unit(9, 16, seed=1)
    np.testing.assert_allclose(embedding_loss(embeddings, targets), 1 - np.sum(embeddings * targets, axis=1), rtol=1e-5)


def test_targets_of_another_dimension():
    with pytest.raises(ValueError, match="expected targets of dimension 4; received 5"):
        embedding_loss(unit(3, 4), unit(3, 5))


LOSSES = {"embedding": lambda x, t: tf.reduce_mean(embedding_loss(x, t)), "similarity": similarity_loss}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_nothing_to_learn_where_the_student_is_the_teacher(loss):
    embeddings = tf.constant(unit(8, 5))
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        value = loss(embeddings, tf.identity(embeddings))
    assert abs(float(value)) < 1e-6
    np.testing.assert_allclose(tape.gradient(value, embeddings), np.zeros([8, 5]), atol=1e-6)


def test_a_rotated_student_has_the_teachers_similarities_and_not_its_embeddings():
    targets = unit(8, 5)
    rotated = targets @ np.linalg.qr(np.random.default_rng(2).standard_normal((5, 5)))[0].astype(np.float32)
    assert float(similarity_loss(rotated, targets)) < 1e-5
    assert float(tf.reduce_mean(embedding_loss(rotated, targets))) > 0.3


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_gradient_by_finite_differences(loss):
    embeddings, targets = unit(6, 4), unit(6, 4, seed=1)
    x = tf.constant(embeddings)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x, targets)
    gradient, numeric, step = tape.gradient(value, x).numpy(), np.zeros([6, 4]), 3e-3
    for place in np.ndindex(6, 4):
        moved = np.zeros([6, 4], np.float32)
        moved[place] = step
        numeric[place] = (loss(embeddings + moved, targets) - loss(embeddings - moved, targets)) / (2 * step)
    assert np.abs(numeric).max() > 0.02
    np.testing.assert_allclose(gradient, numeric, rtol=0.02, atol=5e-4)


def test_the_gradient_by_a_cosine_is_the_difference_of_the_probabilities():
    """Three images, only the cosine of the first two is moved: (q_12 - p_12 + q_21 - p_21) / 3."""
    targets = unit(3, 3)

    def loss(angle):
        return similarity_loss(np.array([[1, 0, 0], [np.cos(angle), np.sin(angle), 0], [0, 0, 1]], np.float32), targets, 0.5)
    odds = np.exp(targets @ targets.T / 0.5)
    q, p = np.exp(np.cos(1.0) / 0.5), (odds[0, 1] / (odds[0, 1] + odds[0, 2]), odds[0, 1] / (odds[0, 1] + odds[1, 2]))
    expected = (2 * q / (q + 1) - sum(p)) / 3
    moved = (float(loss(1.0 + 3e-3)) - float(loss(1.0 - 3e-3))) / (np.cos(1.0 + 3e-3) - np.cos(1.0 - 3e-3))
    assert abs(expected) > 0.01
    assert moved == pytest.approx(expected, rel=0.02)


def test_the_same_image_twice_and_half_precision():
    targets = np.repeat(unit(3, 4), 2, axis=0)
    assert np.isfinite(similarity_loss(unit(6, 4), targets))
    assert similarity_loss(unit(6, 4).astype(np.float16), targets.astype(np.float16)).dtype == tf.float32


def test_one_and_two_images_have_no_ranking():
    assert float(similarity_loss(unit(1, 4), unit(1, 4, seed=1))) == 0
    assert abs(float(similarity_loss(unit(2, 4), unit(2, 4, seed=1)))) < 1e-6


def test_dot_products_are_kept_better_than_by_any_other_projection():
    """Centered PCA and random directions among them; vectors with a mean, as embeddings after ReLU and pooling have."""
    vectors = unit(40, 12).astype(np.float64) + 0.4
    projection, kept = dot_product_projection(vectors.T @ vectors, 5)

    def error(directions):
        projected = vectors @ directions @ directions.T
        return np.linalg.norm(vectors @ vectors.T - projected @ projected.T)
    np.testing.assert_allclose(projection.T @ projection, np.eye(5), atol=1e-10)
    assert kept == pytest.approx(np.sum((vectors @ projection) ** 2) / np.sum(vectors**2))
    centered = np.linalg.svd(vectors - vectors.mean(axis=0))[2][:5].T
    randoms = [np.linalg.qr(np.random.default_rng(seed).standard_normal((12, 5)))[0] for seed in range(20)]
    assert error(projection) < 0.9 * min(map(error, [centered, *randoms]))


def test_more_dimensions_than_the_teacher_has():
    projection, kept = dot_product_projection(np.eye(3), 5)
    np.testing.assert_array_equal(projection, np.eye(3, 5))
    assert kept == 1


def test_the_rotation_is_found_again_and_no_other_is_better():
    embeddings = unit(30, 6).astype(np.float64)
    rotation = np.linalg.qr(np.random.default_rng(3).standard_normal((6, 6)))[0]
    np.testing.assert_allclose(rotation_onto(embeddings, embeddings @ rotation), rotation, atol=1e-8)
    noisy = embeddings @ rotation + 0.3 * np.random.default_rng(4).standard_normal((30, 6))
    best = rotation_onto(embeddings, noisy)
    np.testing.assert_allclose(best @ best.T, np.eye(6), atol=1e-10)
    others = [np.linalg.qr(best + 0.2 * np.random.default_rng(seed).standard_normal((6, 6)))[0] for seed in range(20)]
    distances = [np.linalg.norm(embeddings @ other - noisy) for other in (rotation, *others)]
    assert np.linalg.norm(embeddings @ best - noisy) < min(distances)


def test_targets_that_span_fewer_directions():
    """A student of more dimensions than its teacher: the rest of the rotation is any."""
    embeddings = unit(30, 6)
    targets = np.pad(unit(30, 4, seed=1), [(0, 0), (0, 2)])
    rotation = rotation_onto(embeddings, targets)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(6), atol=1e-10)
