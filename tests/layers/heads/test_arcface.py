"""ArcFace against the paper's formula, and the traps of its public implementations."""

import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.heads import ArcFace
from landmark_zoo.layers.heads.arcface import arcface_cosine
from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy
from tests.contracts.layer import check_layer

EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)


def test_contract(tmp_path):
    check_layer(lambda **keras: ArcFace(5, **keras), EMBEDDINGS, tmp_path)


@pytest.mark.parametrize(("margin", "cosine", "expected"), [
    (0.3, 0.5, 0.221740), (0.3, 0.9, 0.730989), (0.3, 0.0, -0.295520), (0.3, -0.98, -1.068656), (0.1, 0.5, 0.411044),
    (0.0, 0.7, 0.7)])
def test_worked_out_by_hand(margin, cosine, expected):
    np.testing.assert_allclose(arcface_cosine(tf.constant([cosine]), margin), [expected], atol=2e-6)


def test_falls_with_the_angle_also_past_pi_minus_margin():
    cosines = tf.cos(tf.linspace(0.0, math.pi, 2001))
    for margin in (0.1, 0.3, 0.5):
        assert np.all(np.diff(arcface_cosine(cosines, margin)) < 1e-6)


@pytest.mark.parametrize("cosine", [1.0, -1.0, 0.9999999])
def test_gradient_is_finite_and_alive_at_the_ends(cosine):
    x = tf.constant([cosine])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = arcface_cosine(x, 0.3)
    gradient = tape.gradient(y, x).numpy()
    assert np.isfinite(gradient).all()
    assert gradient > 0.5


def test_loss_of_loops():
    head = ArcFace(3, margin=0.4, scale=20.0)
    labels = np.array([0, 2, 1, 2])
    logits = head(EMBEDDINGS)
    loss = softmax_cross_entropy(labels, head.training_logits(logits, labels))
    kernel = head.kernel.numpy().T
    for row, label in enumerate(labels):
        cosines = [float(EMBEDDINGS[row] @ kernel[:, c]) / np.linalg.norm(EMBEDDINGS[row]) / np.linalg.norm(kernel[:, c])
                   for c in range(3)]
        turned = [20 * math.cos(math.acos(c) + 0.4 * (j == label)) for j, c in enumerate(cosines)]
        np.testing.assert_allclose(loss[row], math.log(sum(map(math.exp, turned))) - turned[label], rtol=1e-4)


def test_only_the_target_logit_changes():
    head = ArcFace(5)
    logits = head(EMBEDDINGS)
    labels = np.array([1, 0, 4, 4])
    changed = head.training_logits(logits, labels).numpy() != logits.numpy()
    assert not changed[np.arange(5)[None] != labels[:, None]].any()
    assert changed[np.arange(4), labels].all()


def test_cross_entropy_worked_out_by_hand():
    head = ArcFace(2, margin=0.3, scale=30.0)
    logits = 30 * tf.constant([[0.5, 0.2]])
    loss = softmax_cross_entropy(tf.constant([0]), head.training_logits(logits, tf.constant([0])))
    np.testing.assert_allclose(loss, [0.419299], rtol=1e-4)


def test_no_margin_is_cosine_softmax():
    head = ArcFace(5, margin=0.0)
    logits = head(EMBEDDINGS)
    np.testing.assert_allclose(head.training_logits(logits, [0, 1, 2, 3]), logits, rtol=1e-6)


def test_float32_under_half_precision():
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        logits = ArcFace(5, scale=64.0)(EMBEDDINGS.astype(np.float16))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert logits.dtype == tf.float32


def test_margin_of_each_class():
    margins = [0.05, 0.5, 0.2, 0.3, 0.1]
    head = ArcFace(5, margin=margins)
    labels = np.array([1, 1, 4, 0])
    logits = head(EMBEDDINGS)
    trained = head.training_logits(logits, labels).numpy()
    for row, label in enumerate(labels):
        one = ArcFace(5, margin=margins[label]).training_logits(logits, labels)
        np.testing.assert_allclose(trained[row], one[row], rtol=1e-5)


def test_margin_of_each_class_is_saved(tmp_path):
    embedding = tf.keras.Input([8])
    model = tf.keras.Model(embedding, ArcFace(5, margin=np.linspace(0.05, 0.5, 5))(embedding))
    model.save(tmp_path / "model.keras")
    head = tf.keras.models.load_model(tmp_path / "model.keras").layers[-1]
    logits = head(EMBEDDINGS)
    np.testing.assert_array_equal(head.training_logits(logits, [1, 0, 4, 4]),
                                  model.layers[-1].training_logits(logits, [1, 0, 4, 4]))


def test_margin_is_kept_as_it_was_written():
    assert ArcFace(5, margin=0.3).get_config()["margin"] == 0.3
    assert ArcFace(3, margin=[0.1, 0.2, 0.3]).get_config()["margin"] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("arguments", [
    {"num_classes": 1}, {"num_classes": 5, "scale": 0}, {"num_classes": 5, "margin": 4},
    {"num_classes": 5, "margin": [0.1] * 4}, {"num_classes": 2, "margin": [0.1, -0.1]},
    {"num_classes": 2, "margin": float("nan")}])
def test_impossible_arguments(arguments):
    with pytest.raises(ValueError, match="expected"):
        ArcFace(**arguments)
