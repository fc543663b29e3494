"""Models small enough to reckon with: a picture is a vector."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.heads import ArcFace
from landmark_zoo.layers.l2_normalise import L2Normalise

EMBEDDINGS = np.array([(1, 0), (0.8, 0.6), (0, 1), (0.6, 0.8)], np.float32)


@pytest.fixture
def pictures():
    """Pictures [4, 1, 1, 2] whose embeddings are the vectors whose pair and triplet losses are reckoned by hand below."""
    return EMBEDDINGS[:, None, None]


@pytest.fixture
def toy():
    """Makes a model whose embedding is the picture itself, with an ArcFace head "arcface" for `num_classes`."""
    def make(num_classes=None, **outputs):
        images = tf.keras.Input([1, 1, 2])
        vectors = L2Normalise(name="embedding")(tf.keras.layers.Flatten()(images))
        named = {"embedding": vectors}
        if num_classes:
            named["logits"] = ArcFace(num_classes, margin=0.3, scale=10.0, name="arcface")(vectors)
        named |= {name: make(vectors) for name, make in outputs.items()}
        return tf.keras.Model(images, named)
    return make
