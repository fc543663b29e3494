"""Starts NetVLAD from the k-means centres of photographs' local features (Arandjelovic et al., CVPR 2016)."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.pooling import NetVLAD
from landmark_zoo.training.sample_vectors import sample_vectors


def cluster_start(model: tf.keras.Model, batches: Iterable, num_vectors: int = 50_000, seed: int = 0) -> None:
    """Puts centres and assignments of k-means into the model's NetVLAD; contextual reweighting keeps its random weights.

    Args:
        model: A `<backbone>_netvlad` or `<backbone>_netvlad_crn`.
        batches: (images [B, H, W, 3], labels [B]) of training photographs.
        num_vectors: Of how many locations at most, drawn at random; as many as the authors take.
        seed: Of the draw and of k-means.

    Raises:
        UserError: A model without NetVLAD, or fewer unlike locations than clusters.
    """
    layer = next((layer for layer in model.layers if isinstance(layer, NetVLAD)), None)
    if layer is None:
        raise UserError("a model that pools with NetVLAD", model.name, "Use a <backbone>_netvlad, or another start.")
    features = tf.keras.Model(model.input, layer.get_input_at(-1))
    vectors = sample_vectors((features(images, training=False).numpy() for images, _ in batches), num_vectors, seed)
    unlike = len(np.unique(vectors, axis=0))
    if unlike < layer.clusters:
        raise UserError(f"at least {layer.clusters} unlike locations, one for each cluster of {model.name}", str(unlike),
                        "Use more photographs.")
    layer.fit(vectors, seed)
    logging.info("NetVLAD started from %d centres of %d locations.", layer.clusters, len(vectors))
