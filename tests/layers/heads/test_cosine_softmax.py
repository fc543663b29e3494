"""Cosine softmax."""

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.heads import ArcFace, CosFace, CosineSoftmax

EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
LABELS = [0, 4, 1, 1]


def test_trains_on_what_it_infers():
    head = CosineSoftmax(5)
    logits = head(EMBEDDINGS)
    assert head.training_logits(logits, LABELS) is logits


def test_is_every_margin_head_without_margin():
    head = CosineSoftmax(5, scale=12.0)
    logits = head(EMBEDDINGS)
    for other in (ArcFace(5, margin=0.0, scale=12.0), CosFace(5, margin=0.0, scale=12.0)):
        other.build(EMBEDDINGS.shape)
        other.set_weights(head.get_weights())
        np.testing.assert_allclose(other.training_logits(other(EMBEDDINGS), LABELS), logits, rtol=1e-5, atol=1e-5)


def test_is_saved_under_its_name():
    assert tf.keras.utils.get_registered_name(CosineSoftmax) == "landmark_zoo>CosineSoftmax"
