"""What is told before the first step."""

import logging
import math

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.heads import HEADS
from landmark_zoo.layers.l2_normalise import L2Normalise
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.startup_checks import startup_checks


@pytest.fixture
def check(caplog):
    def run(labels=(0, 4, 2, 1), head="softmax", random=True, factor=1.0):
        tf.keras.utils.set_random_seed(0)
        vectors = tf.keras.Input([16])
        layer = HEADS[head](5)
        embedding = L2Normalise()(vectors)
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
