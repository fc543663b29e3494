"""Cross-entropy as a training step sees it."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.losses.attention_branch_loss import attention_branch_loss
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy
from landmark_zoo.models import build_model
from landmark_zoo.training.objectives.classification import Classification

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


def test_class_weights_multiply(toy, pictures):
    model = toy(2)
    head = model.get_layer("arcface")
    plain, _ = Classification(model, head)(pictures, LABELS, training=True)
    weighted, _ = Classification(model, head, class_weights=np.array([0.5, 1.5]))(pictures, LABELS, training=True)
    np.testing.assert_allclose(weighted, plain * np.array([0.5, 0.5, 1.5, 1.5]), rtol=1e-6)


def test_a_sample_of_all_classes_is_no_sample(toy, pictures):
    model = toy(5)
    head = model.get_layer("arcface")
    whole, sampled = Classification(model, head), Classification(model, head, sampled_classes=5)
    np.testing.assert_allclose(whole(pictures, LABELS, True)[0], sampled(pictures, LABELS, True)[0], rtol=1e-5)
    np.testing.assert_allclose(whole(pictures, LABELS, False)[0], sampled(pictures, LABELS, False)[0], rtol=1e-6)


def test_another_batch_draws_other_classes_and_the_same_batch_the_same(toy, pictures):
    """Pictures of other lengths have the same embeddings here: what differs is the draw."""
    model = toy(60)
    head = model.get_layer("arcface")
    whole, _ = Classification(model, head)(pictures, LABELS, training=True)
    objective = Classification(model, head, sampled_classes=6)
    first, again, other = (objective(pictures * length, LABELS, training=True)[0].numpy() for length in (10, 10, 200))
    np.testing.assert_array_equal(first, again)
    assert (first < whole.numpy()).all()
    assert not np.allclose(first, other, rtol=1e-3)


@pytest.mark.parametrize("weights", [(0.25, 1.0), (1.0, 1.0)])
def test_attention_branch(toy, pictures, weights):
    model = toy(2, attention_logits=lambda vectors: 3 * vectors)
    head = model.get_layer("arcface")
    losses, _ = Classification(model, head, branch_weights=weights)(pictures, LABELS, training=True)
    outputs = model(pictures)
    expected = attention_branch_loss(LABELS, outputs["attention_logits"], head.training_logits(outputs["logits"], LABELS),
                                     *weights)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
