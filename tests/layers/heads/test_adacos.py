"""AdaCos: where its scale starts, and how it moves."""

import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.heads.adacos import AdaCos, batch_statistics, fixed_scale, next_scale

EMBEDDINGS = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
LABELS = np.array([0, 4, 1, 1, 3, 2])


def scale_by_loops(cosines, labels, scale):
    """ln(B_avg) / cos(min(pi / 4, median angle)), in float64."""
    cosines = np.asarray(cosines, np.float64)
    total = np.mean([sum(math.exp(scale * cosine) for n, cosine in enumerate(row) if n != label)
                     for row, label in zip(cosines, labels, strict=True)])
    angles = sorted(math.acos(row[label]) for row, label in zip(cosines, labels, strict=True))
    return math.log(total) / math.cos(min(math.pi / 4, angles[(len(angles) - 1) // 2]))


@pytest.mark.parametrize(("classes", "scale"), [(81_313, 15.989168), (14_951, 13.594081), (27, 4.607644)])
def test_start_worked_out_by_hand(classes, scale):
    assert fixed_scale(classes) == pytest.approx(scale, abs=1e-6)


def test_scale_equals_loops_step_by_step():
    head = AdaCos(5)
    head.build(EMBEDDINGS.shape)
    scale = fixed_scale(5)
    for step in range(3):
        embeddings = np.roll(EMBEDDINGS, step, axis=1)
        cosines = head.cosines(embeddings).numpy()
        logits = head(embeddings)
        np.testing.assert_allclose(logits, scale * cosines, rtol=1e-5, atol=1e-6)
        scale = scale_by_loops(cosines, LABELS, scale)
        np.testing.assert_allclose(head.training_logits(logits, LABELS), scale * cosines, rtol=1e-4, atol=1e-5)
        assert float(head.scale) == pytest.approx(scale, rel=1e-5)


@pytest.mark.parametrize("degrees", [20, 44, 46, 80])
def test_angle_counts_up_to_45_degrees(degrees):
    cosine = math.cos(math.radians(degrees))
    cosines = np.array([[cosine, 0, 0, 0]], np.float32)
    moved = next_scale(*batch_statistics(cosines, [0], 2.0), 2.0)
    assert float(moved) == pytest.approx(math.log(3) / max(cosine, math.sqrt(0.5)), rel=1e-5)


def test_the_label_is_not_among_the_others():
    with_label, without = (np.array([[target, 0.1, 0.1]], np.float32) for target in (0.7, -0.9))
    assert batch_statistics(with_label, [0], 5.0)[0] == batch_statistics(without, [0], 5.0)[0]


def test_a_large_scale_does_not_overflow():
    cosines = np.full((2, 4), 0.9, np.float32)
    moved = next_scale(*batch_statistics(cosines, [0, 1], 200.0), 200.0)
    assert float(moved) == pytest.approx((math.log(3) + 180) / 0.9, rel=1e-5)


def test_scale_stays_positive():
    head = AdaCos(3)
    head.build([None, 2])
    head.kernel.assign([[1, 0], [-1, 0], [-1, 0]])
    for _ in range(3):
        head.training_logits(head(np.array([[1, 0]], np.float32)), [0])
        assert float(head.scale) >= 0.0999


def test_inference_does_not_move_the_scale():
    head = AdaCos(5)
    for _ in range(2):
        head(EMBEDDINGS)
    assert float(head.scale) == pytest.approx(fixed_scale(5), rel=1e-6)


def test_fixed_scale_stays():
    head = AdaCos(5, adaptive=False)
    logits = head(EMBEDDINGS)
    assert head.training_logits(logits, LABELS) is logits
    assert float(head.scale) == pytest.approx(fixed_scale(5), rel=1e-6)


def test_scale_is_a_weight_that_does_not_learn():
    head = AdaCos(5)
    head(EMBEDDINGS)
    assert len(head.trainable_weights) == 1
    assert head.non_trainable_weights == [head.scale]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(head.training_logits(head(EMBEDDINGS), LABELS))
    with tf.GradientTape() as plain:
        constant = float(head.scale) * tf.reduce_sum(head.cosines(EMBEDDINGS))
    np.testing.assert_allclose(tape.gradient(loss, head.kernel), plain.gradient(constant, head.kernel), rtol=1e-3,
                               atol=1e-5)


def test_moved_scale_is_saved(tmp_path):
    embedding = tf.keras.Input([8])
    head = AdaCos(5)
    model = tf.keras.Model(embedding, head(embedding))
    head.training_logits(model(EMBEDDINGS), LABELS)
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.layers[-1].scale) == pytest.approx(float(head.scale))
    np.testing.assert_allclose(loaded(EMBEDDINGS), model(EMBEDDINGS), rtol=1e-6)


def test_moves_inside_a_replica():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        head = AdaCos(5)
        head.build([None, 8])
    cosines = head.cosines(EMBEDDINGS).numpy()

    def step():
        return head.training_logits(head(EMBEDDINGS), LABELS)

    @tf.function
    def run():
        return strategy.run(step)

    expected = scale_by_loops(cosines, LABELS, fixed_scale(5))
    np.testing.assert_allclose(run(), expected * cosines, rtol=1e-4, atol=1e-5)
    assert float(head.scale.read_value()) == pytest.approx(expected, rel=1e-5)


def test_two_classes_have_no_scale():
    with pytest.raises(ValueError, match=r"AdaCos: expected num_classes >= 3.*received 2"):
        AdaCos(2)
