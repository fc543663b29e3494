import functools

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.cross_entropy import attention_branch_loss, softmax_cross_entropy
from landmark_zoo.losses.distillation import embedding_loss, similarity_loss
from landmark_zoo.losses.pairs import contrastive_loss
from landmark_zoo.losses.tuples import second_order_similarity, tuple_contrastive_loss, tuple_triplet_loss
from landmark_zoo.models import build_model
from landmark_zoo.training.batch_losses import (
    Classification,
    Delg,
    Distillation,
    EmbeddingPairs,
    Tuples,
    nearest_has_same_label,
)

LABELS = tf.constant([0, 0, 1, 1])


def test_loss_has_the_margin_and_accuracy_has_not():
    model = build_model("mobilenet", alpha=0.25, embedding_dim=8, num_classes=3, head_arguments={"margin": 0.5})
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
    logits = model(images)["logits"]
    best = np.argmax(logits, axis=1)
    objective = Classification(model, model.get_layer("arcface"))
    plain, correct = objective(images, best.astype(np.int32), training=False)
    assert correct.numpy().all()
    np.testing.assert_allclose(plain, softmax_cross_entropy(best, logits), rtol=1e-5)
    trained, _ = objective(images, best.astype(np.int32), training=True)
    assert trained.shape == plain.shape
    assert trained.numpy().mean() > plain.numpy().mean()


def test_class_weights_multiply(vector_model, toy_images):
    model = vector_model(2)
    head = model.get_layer("arcface")
    plain, _ = Classification(model, head)(toy_images, LABELS, training=True)
    weighted, _ = Classification(model, head, class_weights=np.array([0.5, 1.5]))(toy_images, LABELS, training=True)
    np.testing.assert_allclose(weighted, plain * np.array([0.5, 0.5, 1.5, 1.5]), rtol=1e-6)


def test_a_sample_of_all_classes_is_no_sample(vector_model, toy_images):
    model = vector_model(5)
    head = model.get_layer("arcface")
    whole, sampled = Classification(model, head), Classification(model, head, sampled_classes=5)
    np.testing.assert_allclose(whole(toy_images, LABELS, True)[0], sampled(toy_images, LABELS, True)[0], rtol=1e-5)
    np.testing.assert_allclose(whole(toy_images, LABELS, False)[0], sampled(toy_images, LABELS, False)[0], rtol=1e-6)


def test_another_batch_draws_other_classes_and_the_same_batch_the_same(vector_model, toy_images):
    """Pictures of other lengths have the same embeddings here: what differs is the draw."""
    model = vector_model(60)
    head = model.get_layer("arcface")
    whole, _ = Classification(model, head)(toy_images, LABELS, training=True)
    objective = Classification(model, head, sampled_classes=6)
    first, again, other = (objective(toy_images * length, LABELS, training=True)[0].numpy() for length in (10, 10, 200))
    np.testing.assert_array_equal(first, again)
    assert (first < whole.numpy()).all()
    assert not np.allclose(first, other, rtol=1e-3)


@pytest.mark.parametrize("weights", [(0.25, 1.0), (1.0, 1.0)])
def test_attention_branch(vector_model, toy_images, weights):
    model = vector_model(2, attention_logits=lambda vectors: 3 * vectors)
    head = model.get_layer("arcface")
    losses, _ = Classification(model, head, branch_weights=weights)(toy_images, LABELS, training=True)
    outputs = model(toy_images)
    expected = attention_branch_loss(LABELS, outputs["attention_logits"], head.training_logits(outputs["logits"], LABELS),
                                     *weights)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_sum_of_three(vector_model, toy_images):
    model = vector_model(2, attention_logits=lambda vectors: 3 * vectors, reconstruction_error=lambda vectors: vectors[:, 0])
    labels, head = tf.constant([0, 0, 1, 1]), model.get_layer("arcface")
    losses, correct = Delg(model, Classification(model, head), 2.0, 5.0)(toy_images, labels, training=True)
    outputs = model(toy_images)
    expected = (softmax_cross_entropy(labels, head.training_logits(outputs["logits"], labels))
                + 2 * softmax_cross_entropy(labels, outputs["attention_logits"]) + 5 * toy_images[:, 0, 0, 0])
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    np.testing.assert_array_equal(correct, np.argmax(outputs["logits"], axis=1) == labels)


LINEAR = functools.partial(contrastive_loss, margin=0.4, form="linear")


def test_by_hand(vector_model, toy_images):
    """Cosines .8, 0, .6, .6, .96 and .8: (.2 + .2 + .36) / 2 / 6."""
    losses, correct = EmbeddingPairs(vector_model(), LINEAR)(toy_images, LABELS, training=True)
    np.testing.assert_allclose(losses, [0.063333] * 4, rtol=1e-4)
    np.testing.assert_array_equal(correct, [1, 0, 1, 0])


@pytest.mark.parametrize("weight", [0.5, 0.2])
def test_with_cross_entropy(vector_model, toy_images, weight):
    model = vector_model(2)
    classification = Classification(model, model.get_layer("arcface"))
    crosses, _ = classification(toy_images, LABELS, training=True)
    losses, _ = EmbeddingPairs(model, LINEAR, classification, weight)(toy_images, LABELS, training=True)
    np.testing.assert_allclose(losses, weight * crosses + (1 - weight) * 0.063333, rtol=1e-4)


TARGETS = np.array([(0.8, 0.6), (0.6, -0.8), (0, 1), (-1, 0)], np.float32)


@pytest.mark.parametrize("weight", [0.25, 1.0])
@pytest.mark.parametrize("kind", ["embedding", "similarity", "both"])
def test_distillation_beside_cross_entropy(vector_model, toy_images, kind, weight):
    model = vector_model(2)
    classification = Classification(model, model.get_layer("arcface"))
    crosses, correct = classification(toy_images, LABELS, training=True)
    terms = {"embedding": embedding_loss(model(toy_images)["embedding"], TARGETS),
             "similarity": similarity_loss(model(toy_images)["embedding"], TARGETS)}
    distilled = sum(term for name, term in terms.items() if kind in (name, "both"))
    objective = Distillation(classification, kind, weight)
    losses, same_correct = objective(toy_images, LABELS, True, TARGETS)
    np.testing.assert_allclose(losses, (1 - weight) * crosses + weight * distilled * np.ones(4), rtol=1e-5)
    np.testing.assert_array_equal(correct, same_correct)
    np.testing.assert_array_equal(objective(toy_images, LABELS, training=False)[0],
                                  classification(toy_images, LABELS, training=False)[0])


def test_distillation_beside_sampled_classes_and_pairs(vector_model, toy_images):
    """The student runs once: sampled classes draw by the pixels, as without a teacher."""
    model = vector_model(60)
    sampled = Classification(model, model.get_layer("arcface"), sampled_classes=6)
    for objective in (sampled, EmbeddingPairs(model, LINEAR)):
        losses, _ = Distillation(objective, "embedding", 0.5)(toy_images * 10, LABELS, True, TARGETS)
        expected = (objective(toy_images * 10, LABELS, training=True)[0]
                    + embedding_loss(model(toy_images)["embedding"], TARGETS)) / 2
        np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_similarities_of_another_dimension(vector_model, toy_images):
    model = vector_model(2)
    targets = np.eye(4, 7, dtype=np.float32)
    losses, _ = Distillation(Classification(model, model.get_layer("arcface")), "similarity", 1.0)(
        toy_images, LABELS, True, targets)
    np.testing.assert_allclose(losses, np.full(4, similarity_loss(model(toy_images)["embedding"], targets)), rtol=1e-5)


def test_no_neighbor():
    one = tf.constant([[1.0, 0.0]])
    assert nearest_has_same_label(one, tf.constant([3])).numpy() == [0]
    three = tf.constant([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    np.testing.assert_array_equal(nearest_has_same_label(three, tf.constant([0, 1, 2])), [0, 0, 0])


TUPLES_LABELS = tf.constant([0, 0, 1, 2] * 2)


def batch(*vectors):
    return np.array(vectors, np.float32)[:, None, None]


EASY = [(1, 0), (0.8, 0.6), (0, 1), (-1, 0)]
HARD = [(1, 0), (0, 1), (0.8, 0.6), (-1, 0)]


def test_two_tuples_by_hand(vector_model):
    """Squared distances .4 to the positive, 2 and 4 to the negatives; then 2 to the positive, .4 and 4."""
    objective = Tuples(vector_model(), lambda tuples: tuple_triplet_loss(tuples, 0.5), negatives=2)
    losses, correct = objective(batch(*EASY, *HARD), TUPLES_LABELS, training=True)
    np.testing.assert_allclose(losses, [0] * 4 + [2.1] * 4, rtol=1e-5)
    np.testing.assert_array_equal(correct, [1] * 4 + [0] * 4)


@pytest.mark.parametrize("weight", [10.0, 0.5])
def test_second_order_similarity_is_added(vector_model, weight):
    """2 and 4 from the query, .8 and 3.6 from the positive: the root of 1.2^2 + .4^2."""
    plain, solar = (Tuples(vector_model(), lambda tuples: tuple_contrastive_loss(tuples, 0.7), 2, value)
                    for value in (0.0, weight))
    images = batch(*EASY)
    difference = solar(images, TUPLES_LABELS[:4], True)[0] - plain(images, TUPLES_LABELS[:4], True)[0]
    np.testing.assert_allclose(difference, [weight * 1.264911] * 4, rtol=1e-4)
    assert second_order_similarity(tf.constant([EASY], tf.float32)).numpy() == pytest.approx(1.264911, rel=1e-5)
