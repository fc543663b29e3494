import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.heads.margin import ArcFace, CosFace, SubCenterArcFace, arcface_cosine
from landmark_zoo.losses.cross_entropy import softmax_cross_entropy
from landmark_zoo.models.inspection import multiply_accumulates

EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)


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


LABELS = np.array([0, 2, 1, 2])


def test_sub_center_arcface_loss_of_loops():
    head = SubCenterArcFace(3, margin=0.4, scale=20.0, sub_centres=2)
    loss = softmax_cross_entropy(LABELS, head.training_logits(head(EMBEDDINGS), LABELS))
    kernel = head.kernel.numpy().T
    for row, label in enumerate(LABELS):
        cosines = [max(float(EMBEDDINGS[row] @ kernel[:, k * 3 + c]) / np.linalg.norm(EMBEDDINGS[row])
                       / np.linalg.norm(kernel[:, k * 3 + c]) for k in range(2)) for c in range(3)]
        turned = [20 * math.cos(math.acos(c) + 0.4 * (j == label)) for j, c in enumerate(cosines)]
        np.testing.assert_allclose(loss[row], math.log(sum(map(math.exp, turned))) - turned[label], rtol=1e-4)


def test_either_sub_center_will_do():
    head = SubCenterArcFace(2, scale=1.0, sub_centres=2)
    head.build([None, 2])
    head.kernel.assign([[1, 0], [0, 1], [-1, 0], [0, -1]])
    cosines = head(np.array([[-1, 0], [1, 0], [0, -3]], np.float32))
    np.testing.assert_allclose(cosines, [[1, 0], [1, 0], [0, 1]], atol=1e-6)


def test_one_sub_center_is_arcface():
    head, arcface = SubCenterArcFace(5, sub_centres=1), ArcFace(5)
    logits = head(EMBEDDINGS)
    arcface.build(EMBEDDINGS.shape)
    arcface.set_weights(head.get_weights())
    np.testing.assert_allclose(arcface(EMBEDDINGS), logits, rtol=1e-6)
    np.testing.assert_allclose(arcface.training_logits(logits, LABELS), head.training_logits(logits, LABELS), rtol=1e-6)


def test_first_rows_are_one_vector_per_class():
    """Setting the first N rows to class means, as `pca_start` does, makes them what the class is recognised by."""
    head = SubCenterArcFace(4)
    head.build([None, 8])
    kernel = np.array(head.kernel)
    kernel[:4] = EMBEDDINGS
    head.kernel.assign(kernel)
    np.testing.assert_array_equal(np.argmax(head(EMBEDDINGS), axis=1), [0, 1, 2, 3])
    np.testing.assert_allclose(np.diag(head(EMBEDDINGS)), 30, rtol=1e-5)


def test_only_the_nearest_sub_center_of_the_label_is_pulled():
    head = SubCenterArcFace(2, sub_centres=2)
    head.build([None, 2])
    head.kernel.assign([[1, 0.1], [0, 1], [-0.2, -1], [0.1, -1]])
    with tf.GradientTape() as tape:
        logits = head.training_logits(head(np.array([[1, 0.2]], np.float32)), [0])
        loss = logits[0, 0]
    moved = np.abs(tape.gradient(loss, head.kernel)).max(axis=1) > 0
    assert moved.tolist() == [True, False, False, False]


def test_costs():
    head = SubCenterArcFace(27)
    head.build([None, 512])
    assert head.count_params() == 3 * 512 * 27
    assert multiply_accumulates(head, tf.TensorSpec([1, 512])) == 3 * 512 * 27


def test_sub_centers_are_checked():
    with pytest.raises(ValueError, match="expected sub_centres >= 1; received 0"):
        SubCenterArcFace(5, sub_centres=0)


def test_cosface_cross_entropy_worked_out_by_hand():
    head = CosFace(2, margin=0.35, scale=30.0)
    logits = 30 * tf.constant([[0.5, 0.2]])
    loss = softmax_cross_entropy(tf.constant([0]), head.training_logits(logits, tf.constant([0])))
    np.testing.assert_allclose(loss, [1.701413], rtol=1e-5)


def test_cosface_loss_of_loops():
    head = CosFace(3, margin=0.4, scale=20.0)
    loss = softmax_cross_entropy(LABELS, head.training_logits(head(EMBEDDINGS), LABELS))
    unit = head.kernel.numpy().T / np.linalg.norm(head.kernel, axis=1)
    for row, label in enumerate(LABELS):
        cosines = [float(EMBEDDINGS[row] @ unit[:, c]) / np.linalg.norm(EMBEDDINGS[row]) for c in range(3)]
        logits = [20 * (cosine - 0.4 * (c == label)) for c, cosine in enumerate(cosines)]
        np.testing.assert_allclose(loss[row], math.log(sum(map(math.exp, logits))) - logits[label], rtol=1e-4)


def test_cosface_only_the_target_logit_changes():
    head = CosFace(5)
    changed = head.training_logits(head(EMBEDDINGS), LABELS).numpy() != head(EMBEDDINGS).numpy()
    np.testing.assert_array_equal(changed, np.arange(5) == LABELS[:, np.newaxis])


@pytest.mark.parametrize("margin", [-0.1, 2])
def test_margin_is_checked(margin):
    with pytest.raises(ValueError, match=f"expected 0 <= margin < 2; received {margin}"):
        CosFace(5, margin=margin)
