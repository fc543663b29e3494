"""DELG's three losses."""

import numpy as np
import tensorflow as tf

from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy
from landmark_zoo.training.objectives.classification import Classification
from landmark_zoo.training.objectives.delg import Delg


def test_sum_of_three(toy, pictures):
    model = toy(2, attention_logits=lambda vectors: 3 * vectors, reconstruction_error=lambda vectors: vectors[:, 0])
    labels, head = tf.constant([0, 0, 1, 1]), model.get_layer("arcface")
    losses, correct = Delg(model, Classification(model, head), 2.0, 5.0)(pictures, labels, training=True)
    outputs = model(pictures)
    expected = (softmax_cross_entropy(labels, head.training_logits(outputs["logits"], labels))
                + 2 * softmax_cross_entropy(labels, outputs["attention_logits"]) + 5 * pictures[:, 0, 0, 0])
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    np.testing.assert_array_equal(correct, np.argmax(outputs["logits"], axis=1) == labels)
