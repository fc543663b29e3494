"""How the parts behind the backbone start."""

from collections.abc import Iterable

import tensorflow as tf

from landmark_zoo.layers.heads import Head
from landmark_zoo.training.cluster_start import cluster_start
from landmark_zoo.training.pca_start import pca_start
from landmark_zoo.training.whitening_start import whitening_start

INITIAL_EMBEDDINGS = ("random", "pca", "whitening", "clusters")


def initial_embedding(name: str, model: tf.keras.Model, head: Head | None, batches: Iterable, seed: int) -> None:
    """Fits a part of a model to photographs before training.

    Args:
        name: One of `INITIAL_EMBEDDINGS`: "random" for nothing, "pca" for the embedding layer and the head,
            "whitening" for HOW's reduction, "clusters" for NetVLAD's centres.
        model: What will be trained.
        head: Its head, if any.
        batches: (images [B, H, W, 3], labels [B]) of training photographs.
        seed: Of random choices.

    Raises:
        UserError: A model without that part, or too few photographs.
    """
    if name == "pca":
        pca_start(model, head, batches, seed=seed)
    elif name == "whitening":
        whitening_start(model, batches, seed=seed)
    elif name == "clusters":
        cluster_start(model, batches, seed=seed)
