"""Starts embedding and head from pretrained features instead of from random numbers.

A random 512-d layer trained on a few dozen landmarks ends below the pretrained features themselves; started as their PCA it
starts above them, and with the landmarks' mean embeddings as class weights the first gradients already mean something.
"""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from absl import logging
from sklearn.decomposition import PCA

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.embedding import EmbeddingLayer
from landmark_zoo.layers.heads import Head


def pca_start(model: tf.keras.Model, head: Head | None, batches: Iterable, power: float = 0.25, seed: int = 0) -> float:
    """Puts a PCA of the pooled, L2-normalised features into the layer "embedding", and class means into the head.

    Args:
        model: Has an `EmbeddingLayer` named "embedding".
        head: Its class weights [N, D] become the mean embedding of each class; classes without a photograph keep theirs.
            None where the model has none.
        batches: (images [B, H, W, 3], labels [B]) of training photographs.
        power: What the components' variances are divided by: 0 none, 0.5 full whitening.
        seed: Of the randomised solver.

    Returns:
        The part of the variance that the embedding keeps.

    Raises:
        UserError: Fewer photographs than dimensions, or a dimension above the number of channels.
    """
    layer = model.get_layer("embedding")
    if not isinstance(layer, EmbeddingLayer):
        raise UserError("an embedding layer for --initial_embedding=pca", "--embedding_dim=0", "Give --embedding_dim.")
    pooled = tf.keras.Model(model.input, layer.get_input_at(-1))
    collected = [(pooled(images, training=False).numpy(), labels.numpy()) for images, labels in batches]
    features, labels = (np.concatenate(column) for column in zip(*collected, strict=True))
    count, channels = features.shape
    if layer.dimension > min(count, channels):
        raise UserError(f"--embedding_dim <= {min(count, channels)} for --initial_embedding=pca",
                        f"{layer.dimension} ({count} photographs, {channels} channels)",
                        "Lower --embedding_dim or use --initial_embedding=random.")
    unit = features.astype(np.float64) / np.linalg.norm(features, axis=1, keepdims=True)
    whitening = PCA(layer.dimension, random_state=seed).fit(unit)
    layer.set_projection(whitening.mean_,
                         whitening.components_.T / np.maximum(whitening.explained_variance_, 1e-12) ** power)
    if head is not None:
        head.kernel.assign(_with_class_means(head.kernel.numpy(), layer(features).numpy(), labels))
    kept = float(whitening.explained_variance_ratio_.sum())
    logging.info("Embedding layer started as the PCA of %d photographs: %d of %d dimensions keep %.1f %% of the variance.",
                 count, layer.dimension, channels, 100 * kept)
    return kept


def _with_class_means(kernel: np.ndarray, embeddings: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns [N, D] whose rows are unit class means where a class has photographs, and those of `kernel` elsewhere."""
    sums = np.zeros_like(kernel)
    np.add.at(sums, labels, embeddings)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 0, sums / np.maximum(lengths, 1e-12), kernel)
