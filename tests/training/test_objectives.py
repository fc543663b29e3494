import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.losses.listwise_ap import listwise_ap_loss
from landmark_zoo.training.objectives import OBJECTIVES, ObjectiveConfig, build_objective


@pytest.mark.parametrize(("settings", "said"), [
    ({"objective": "contrastve"}, "a known objective; received 'contrastve'. Use one of: contrastive"),
    ({"class_weights": "log"}, "--class_weights among none, inverse_log, inverse; received 'log'"),
    ({"sos_weight": -1}, "--sos_weight >= 0; received -1"),
    ({"label_smoothing": 1.0}, "0 <= --label_smoothing < 1"),
    ({"classification_weight": 0.5}, "--classification_weight with an objective on pairs only"),
    ({"loss_margin": 0.5}, "the margin of a head is --margin"),
    ({"objective": "triplet_hard", "loss_margin": 0.0}, "a positive --loss_margin"),
    ({"objective": "listwise_ap", "loss_margin": 0.5}, "an objective that has a margin only"),
    ({"objective": "contrastive", "sampled_classes": 8}, "--objective=classification only"),
    ({"objective": "tuple_triplet", "class_weights": "inverse"}, "with cross-entropy only"),
    ({"distillation": "logits"}, "--distillation among none, embedding, similarity, both; received 'logits'"),
    ({"distillation_weight": 1.5}, "--distillation_weight from 0 to 1; received 1.5"),
    ({"objective": "tuple_solar", "distillation": "both"}, "--distillation=none with an objective on mined tuples")])
def test_refused(settings, said):
    with pytest.raises(UserError, match=said):
        ObjectiveConfig(**settings)


def test_heads():
    with_head = {name for name in OBJECTIVES if ObjectiveConfig(name).has_head}
    assert with_head == {"classification", "delg"}
    assert ObjectiveConfig("contrastive", classification_weight=0.5).has_head


@pytest.mark.parametrize(("config", "compares", "embeddings"), [
    (ObjectiveConfig(), False, False), (ObjectiveConfig(distillation="embedding"), False, True),
    (ObjectiveConfig(distillation="similarity"), True, False), (ObjectiveConfig(distillation="both"), True, True),
    (ObjectiveConfig("contrastive"), True, False)])
def test_what_is_compared(config, compares, embeddings):
    assert (config.compares_images, config.distills_embeddings) == (compares, embeddings)


LABELS = tf.constant([0, 0, 1, 1])
LOCAL = {"attention_logits": lambda vectors: 3 * vectors, "reconstruction_error": lambda vectors: vectors[:, 0]}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_name_gives_losses_and_gradients(vector_model, toy_images, name):
    config = ObjectiveConfig(name)
    model = vector_model(2 if config.has_head else None, **(LOCAL if name == "delg" else {}))
    objective = build_objective(config, model, model.get_layer("arcface") if config.has_head else None, [2, 2], negatives=2)
    images = tf.constant(toy_images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        losses, correct = objective(images, LABELS, training=True)
    assert losses.shape == correct.shape == [4]
    assert losses.dtype == correct.dtype == tf.float32
    assert np.isfinite(tape.gradient(losses, images)).all()
    assert set(correct.numpy()) <= {0.0, 1.0}


@pytest.mark.parametrize("name", [name for name, kind in OBJECTIVES.items() if kind.batches != "tuples"])
def test_every_name_can_be_distilled(vector_model, toy_images, name):
    """At weight 1 the labels do not count: a student that is its teacher has nothing to learn."""
    config = ObjectiveConfig(name, distillation="both", distillation_weight=1.0)
    model = vector_model(2 if config.has_head else None, **(LOCAL if name == "delg" else {}))
    objective = build_objective(config, model, model.get_layer("arcface") if config.has_head else None, [2, 2], negatives=0)
    losses, _ = objective(toy_images, LABELS, True, model(toy_images)["embedding"])
    np.testing.assert_allclose(losses, np.zeros(4), atol=1e-5)
    assert objective(toy_images, LABELS, True, np.roll(toy_images[:, 0, 0], 1, axis=0))[0].numpy().min() > 0.01


@pytest.mark.parametrize(("config", "loss"), [
    (ObjectiveConfig("contrastive_linear"), 0.063333), (ObjectiveConfig("triplet_hard"), 0.274806),
    (ObjectiveConfig("triplet_hard", loss_margin=0.4), 0.443821)])
def test_margins_by_hand(vector_model, toy_images, config, loss):
    """Distances .632 to the positive; to the nearest negative .894 (twice) and .283 (twice)."""
    objective = build_objective(config, vector_model(), None, [2, 2], negatives=0)
    np.testing.assert_allclose(objective(toy_images, LABELS, training=True)[0], loss, rtol=1e-4)


def test_listwise_ap_is_the_loss_of_the_batch(vector_model, toy_images):
    model = vector_model()
    losses, _ = build_objective(ObjectiveConfig("listwise_ap"), model, None, [2, 2], negatives=0)(toy_images, LABELS, True)
    expected = listwise_ap_loss(model(toy_images)["embedding"], LABELS)
    assert 0 < float(expected) < 1
    np.testing.assert_allclose(losses, [float(expected)] * 4, rtol=1e-6)


def test_class_weights_come_from_the_counts(vector_model, toy_images):
    model = vector_model(2)
    head = model.get_layer("arcface")
    objectives = [build_objective(ObjectiveConfig(class_weights=kind), model, head, [1, 3], 0)
                  for kind in ("none", "inverse")]
    plain, weighted = (objective(toy_images, LABELS, training=True)[0] for objective in objectives)
    np.testing.assert_allclose(weighted, plain * [1.5, 1.5, 0.5, 0.5], rtol=1e-5)


@pytest.mark.parametrize(("settings", "outputs", "said"), [
    ({"objective": "delg"}, {}, "with a <backbone>_delg, and only there; received --objective=delg with another"),
    ({}, LOCAL, r"only there; received --objective=classification\."),
    ({"sampled_classes": 1}, {"attention_logits": LOCAL["attention_logits"]}, "--sampled_classes=0 for an Attention")])
def test_build_refused(vector_model, settings, outputs, said):
    model = vector_model(2, **outputs)
    with pytest.raises(UserError, match=said):
        build_objective(ObjectiveConfig(**settings), model, model.get_layer("arcface"), [2, 2], 0)
