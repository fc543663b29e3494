"""From names to objectives."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.objectives import OBJECTIVES
from landmark_zoo.training.objectives.build import build_objective
from landmark_zoo.training.objectives.config import ObjectiveConfig

LABELS = tf.constant([0, 0, 1, 1])
LOCAL = {"attention_logits": lambda vectors: 3 * vectors, "reconstruction_error": lambda vectors: vectors[:, 0]}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_name_gives_losses_and_gradients(toy, pictures, name):
    config = ObjectiveConfig(name)
    model = toy(2 if config.has_head else None, **(LOCAL if name == "delg" else {}))
    objective = build_objective(config, model, model.get_layer("arcface") if config.has_head else None, [2, 2], negatives=2)
    images = tf.constant(pictures)
    with tf.GradientTape() as tape:
        tape.watch(images)
        losses, correct = objective(images, LABELS, training=True)
    assert losses.shape == correct.shape == [4]
    assert losses.dtype == correct.dtype == tf.float32
    assert np.isfinite(tape.gradient(losses, images)).all()
    assert set(correct.numpy()) <= {0.0, 1.0}


@pytest.mark.parametrize(("config", "loss"), [
    (ObjectiveConfig("contrastive_linear"), 0.063333), (ObjectiveConfig("triplet_hard"), 0.274806),
    (ObjectiveConfig("triplet_hard", loss_margin=0.4), 0.443821)])
def test_margins_by_hand(toy, pictures, config, loss):
    """Distances .632 to the positive; to the nearest negative .894 (twice) and .283 (twice)."""
    objective = build_objective(config, toy(), None, [2, 2], negatives=0)
    np.testing.assert_allclose(objective(pictures, LABELS, training=True)[0], loss, rtol=1e-4)


def test_class_weights_come_from_the_counts(toy, pictures):
    model = toy(2)
    head = model.get_layer("arcface")
    objectives = [build_objective(ObjectiveConfig(class_weights=kind), model, head, [1, 3], 0)
                  for kind in ("none", "inverse")]
    plain, weighted = (objective(pictures, LABELS, training=True)[0] for objective in objectives)
    np.testing.assert_allclose(weighted, plain * [1.5, 1.5, 0.5, 0.5], rtol=1e-5)


@pytest.mark.parametrize(("settings", "outputs", "said"), [
    ({"objective": "delg"}, {}, "with a <backbone>_delg, and only there; received --objective=delg with another"),
    ({}, LOCAL, r"only there; received --objective=classification\."),
    ({"sampled_classes": 1}, {"attention_logits": LOCAL["attention_logits"]}, "--sampled_classes=0 for an Attention")])
def test_refused(toy, settings, outputs, said):
    model = toy(2, **outputs)
    with pytest.raises(UserError, match=said):
        build_objective(ObjectiveConfig(**settings), model, model.get_layer("arcface"), [2, 2], 0)
