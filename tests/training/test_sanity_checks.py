import logging
import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.embedding import L2Normalize
from landmark_zoo.layers.registry import HEADS
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.sanity_checks import check_fixed_weights, expected_first_loss, head_memory, startup_checks


@pytest.fixture
def check(caplog):
    def run(labels=(0, 4, 2, 1), head="softmax", random=True, factor=1.0):
        tf.keras.utils.set_random_seed(0)
        vectors = tf.keras.Input([16])
        layer = HEADS[head](5)
        embedding = L2Normalize()(vectors)
        model = tf.keras.Model(vectors, {"embedding": embedding, "logits": layer(embedding)})

        def objective(images, labels, training):
            assert not training
            losses = tf.keras.losses.sparse_categorical_crossentropy(labels, model(images)["logits"], from_logits=True)
            return factor * losses, tf.zeros_like(losses)
        images = np.random.default_rng(0).normal(size=(4, 16)).astype(np.float32)
        with caplog.at_level(logging.INFO, logger="absl"):
            loss = startup_checks(model, objective, layer, images, np.array(labels), TrainingConfig(), random)
        return loss, "\n".join(f"{record.levelname} {record.getMessage()}" for record in caplog.records)
    return run


def test_a_good_start(check):
    loss, said = check()
    assert loss == pytest.approx(math.log(5), abs=0.5)
    assert "labels 0 to 4" in said
    assert "chance is 1.609 (ln 5 = 1.609)" in said
    assert "Head 5 x 16 on each device: 0.0 MiB" in said
    assert "WARNING" not in said


def test_a_first_loss_that_is_not_that_of_chance(check):
    assert "WARNING The first loss is more than 0.5 from chance" in check(factor=3.0)[1]


def test_a_start_from_another_run_is_not_compared_with_chance(check):
    _, said = check(factor=3.0, random=False)
    assert "chance" not in said
    assert "loss 4." in said or "loss 5." in said


@pytest.mark.parametrize("labels", [(0, 5, 1, 2), (-1, 0, 1, 2)])
def test_labels_that_the_head_does_not_have(check, labels):
    with pytest.raises(UserError, match=f"labels from 0 to 4, those of the head; received {min(labels)} to {max(labels)}"):
        check(labels)


def test_not_finite(check):
    with pytest.raises(UserError, match="a finite loss of the first batch; received nan"):
        check(factor=float("nan"))


@pytest.fixture
def nested():
    """Makes a model with a network inside, as the zoo's have; with BatchNorm or without."""
    def make(batchnorm=True):
        images = tf.keras.Input([8, 8, 3])
        layers = [tf.keras.layers.Conv2D(2, 1), *([tf.keras.layers.BatchNormalization()] if batchnorm else [])]
        return tf.keras.Model(images, tf.keras.layers.Flatten()(tf.keras.Sequential(layers)(images)), name="nested")
    return make


@pytest.mark.parametrize(("settings", "said"), [
    ({}, "BatchNorm"), ({"freeze_batchnorm": False, "freeze": "c3"}, "--freeze=c3"),
    ({"freeze_batchnorm": False, "backbone_multiplier": 0.0}, "--backbone_multiplier=0")])
def test_frozen_random_weights_are_refused_or_said_in_capitals(nested, caplog, settings, said):
    with pytest.raises(UserError, match=f"pretrained weights for nested, whose .*{said}.*received random weights"):
        check_fixed_weights(nested(), TrainingConfig(**settings))
    check_fixed_weights(nested(), TrainingConfig(**settings), dry_run=True)
    assert "RANDOM WEIGHTS: NO --weights FOR NESTED" in caplog.text


def test_random_weights_that_all_learn(nested, caplog):
    check_fixed_weights(nested(), TrainingConfig(freeze_batchnorm=False))
    check_fixed_weights(nested(batchnorm=False), TrainingConfig())
    assert not caplog.text


def measured(name, dimension, classes, **arguments):
    """Mean cross-entropy over 20 random heads, of features that all point much the same way, and what was expected."""
    losses = []
    for seed in range(20):
        tf.keras.utils.set_random_seed(seed)
        random = np.random.default_rng(seed)
        features = np.abs(random.normal(size=(64, dimension))).astype(np.float32)
        labels = random.integers(0, classes, 64)
        logits = HEADS[name](classes, **arguments)(tf.linalg.l2_normalize(features, axis=1))
        losses.append(tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)))
    return np.array(losses), expected(name, dimension, classes, **arguments)


def expected(name, dimension, classes, **arguments):
    """Returns the expected first loss of a model with such a head on its embedding."""
    vectors, head = tf.keras.Input([dimension]), HEADS[name](classes, **arguments)
    embedding = L2Normalize()(vectors)
    return expected_first_loss(tf.keras.Model(vectors, {"embedding": embedding, "logits": head(embedding)}), head)


@pytest.mark.parametrize(("name", "dimension", "classes", "arguments"), [
    ("softmax", 64, 100, {}), ("cosine_softmax", 512, 1000, {"scale": 30.0}), ("arcface", 128, 50, {"scale": 16.0}),
    ("adacos", 256, 400, {}), ("cosine_softmax", 16, 200, {"scale": 8.0})])
def test_is_what_a_random_head_gives(name, dimension, classes, arguments):
    losses, (mean, tolerance) = measured(name, dimension, classes, **arguments)
    assert losses.mean() == pytest.approx(mean, abs=0.25)
    assert np.abs(losses - mean).max() < tolerance


def test_a_scale_far_too_large_for_the_dimension():
    """Then the largest of the logits alone counts; the figure is too high, but not by more than a quarter."""
    losses, (mean, _) = measured("arcface", 8, 50, scale=30.0)
    assert losses.mean() < mean < 1.25 * losses.mean()


def test_plain_softmax_of_embeddings_is_the_logarithm_of_their_number():
    assert expected("softmax", 64, 100)[0] == pytest.approx(math.log(100))


def test_where_it_cannot_be_said():
    assert expected("sub_centre_arcface", 64, 20) is None
    vectors = tf.keras.Input([8])
    head = HEADS["softmax"](3)
    model = tf.keras.Model(vectors, {"embedding": L2Normalize()(vectors), "logits": head(vectors)})
    assert expected_first_loss(model, head) is None


def memory(replicas=1, **settings):
    head = HEADS["arcface"](1024)
    head.build([None, 512])
    return head_memory(head, TrainingConfig(**{"batch_size": 64, **settings}), replicas)


def test_worked_out_by_hand():
    """512 x 1024 float32 are 2 MiB, 64 x 1024 logits 0.25."""
    assert memory(optimizer="adam") == {"weights": 2, "gradient": 2, "optimizer": 4, "average": 0, "logits": 0.25}
    assert memory(optimizer="sgd", ema_momentum=0.9) == {"weights": 2, "gradient": 2, "optimizer": 2, "average": 2,
                                                         "logits": 0.25}
    assert memory(optimizer="sgd", momentum=0.0)["optimizer"] == 0
    assert memory(4, accumulate=2)["logits"] == pytest.approx(0.25 / 8)


def test_of_gldv2_clean():
    """159 MiB of weights for 81,313 landmarks."""
    head = HEADS["arcface"](81313)
    head.build([None, 512])
    assert head_memory(head, TrainingConfig())["weights"] == pytest.approx(158.8, abs=0.1)
