"""Fits the reduction of HOW's local features to photographs, before training (Tolias, Jenicek, Chum, ECCV 2020)."""

from collections.abc import Iterable

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.whitening_reduction import WhiteningReduction
from landmark_zoo.training.sample_vectors import sample_vectors


def whitening_start(model: tf.keras.Model, batches: Iterable, num_vectors: int = 50_000, seed: int = 0) -> None:
    """Puts a PCA whitening of smoothed local features into the model's `WhiteningReduction`.

    Args:
        model: A `<backbone>_how`; see `models.how`.
        batches: (images [B, H, W, 3], labels [B]) of training photographs, 5,000 in the paper.
        num_vectors: Of how many locations at most, drawn at random.
        seed: Of the draw.

    Raises:
        UserError: A model without such a layer, or locations that span fewer directions than the layer keeps.
    """
    layer = next((layer for layer in model.layers if isinstance(layer, WhiteningReduction)), None)
    if layer is None:
        raise UserError("a model whose local features are reduced", model.name,
                        "Use a <backbone>_how with an embedding_dim above 0, or another start.")
    smoothed = tf.keras.Model(model.input, layer.get_input_at(-1))
    vectors = sample_vectors((smoothed(images, training=False).numpy() for images, _ in batches), num_vectors, seed)
    too_few = UserError(f"locations that span {layer.dimension} directions, the embedding_dim of {model.name}",
                        f"{len(vectors)} locations that do not", "Use more photographs or a smaller embedding_dim.")
    if len(vectors) <= layer.dimension:
        raise too_few
    try:
        layer.fit(vectors)
    except ValueError as error:
        raise too_few from error
    logging.info("Reduction to %d channels fitted to %d locations.", layer.dimension, len(vectors))
