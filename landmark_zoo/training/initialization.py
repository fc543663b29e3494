"""Data-dependent initialization: PCA of the embedding, whitening of local features, k-means centers of NetVLAD.

A random 512-d layer trained on a few dozen landmarks ends below the pretrained features themselves; initialized as their
PCA it starts above them, and with the landmarks' mean embeddings as class weights the first gradients already mean
something.
"""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from absl import logging
from sklearn.decomposition import PCA

from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.embedding import EmbeddingLayer, WhiteningReduction
from landmark_zoo.layers.heads.softmax import Head
from landmark_zoo.layers.pooling.netvlad import NetVLAD
from landmark_zoo.losses.distillation import rotation_onto

INITIAL_EMBEDDINGS = ("random", "pca", "whitening", "clusters")


def initialize_embedding(name: str, model: tf.keras.Model, head: Head | None, batches: Iterable, seed: int) -> None:
    """Fits a part of a model to images before training.

    Args:
        name: One of `INITIAL_EMBEDDINGS`: "random" for nothing, "pca" for the embedding layer and the head,
            "whitening" for HOW's reduction, "clusters" for NetVLAD's centers.
        model: Model that will be trained.
        head: Head of the model, or None.
        batches: Training images [B, H, W, 3] and labels [B].
        seed: Seed of random choices.

    Raises:
        UserError: The model has no such part, or there are too few images.
    """
    if name == "pca":
        init_pca(model, head, batches, seed=seed)
    elif name == "whitening":
        init_whitening(model, batches, seed=seed)
    elif name == "clusters":
        init_kmeans(model, batches, seed=seed)


def init_pca(model: tf.keras.Model, head: Head | None, batches: Iterable, power: float = 0.25, seed: int = 0) -> float:
    """Initializes the layer "embedding" as a PCA of the pooled, L2-normalized features, and the head with class means.

    Args:
        model: Model with an `EmbeddingLayer` named "embedding".
        head: Head whose class weights [N, D] become the mean embedding of each class; classes without an image keep theirs.
            None for a model without a head.
        batches: Training images [B, H, W, 3] and labels [B].
        power: Power of the components' variances by which they are divided: 0 for none, 0.5 for full whitening.
        seed: Seed of the randomized solver.

    Returns:
        Fraction of the variance that the embedding keeps.

    Raises:
        UserError: Fewer images than dimensions, or a dimension above the number of channels.
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
                        f"{layer.dimension} ({count} images, {channels} channels)",
                        "Lower --embedding_dim or use --initial_embedding=random.")
    normalized = features.astype(np.float64) / np.linalg.norm(features, axis=1, keepdims=True)
    pca = PCA(layer.dimension, random_state=seed).fit(normalized)
    layer.set_projection(pca.mean_, pca.components_.T / np.maximum(pca.explained_variance_, 1e-12) ** power)
    if head is not None:
        head.kernel.assign(_with_class_means(head.kernel.numpy(), layer(features).numpy(), labels))
    kept = float(pca.explained_variance_ratio_.sum())
    logging.info("Embedding layer initialized as the PCA of %d images: %d of %d dimensions keep %.1f %% of the variance.",
                 count, layer.dimension, channels, 100 * kept)
    return kept


def _with_class_means(kernel: np.ndarray, embeddings: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns [N, D] whose rows are unit class means where a class has images, and those of `kernel` elsewhere."""
    sums = np.zeros_like(kernel)
    np.add.at(sums, labels, embeddings)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 0, sums / np.maximum(lengths, 1e-12), kernel)


def align_embedding(model: tf.keras.Model, head: Head | None, batches: Iterable, targets: np.ndarray) -> None:
    """Rotates the layer "embedding", and the head's class vectors with it, so that embeddings come nearest to targets.

    No similarity of two images, and no logit, changes. A model without such a layer stays as it is.

    Args:
        model: Model with output "embedding".
        head: Head of the model, or None.
        batches: Images [B, H, W, 3] and labels [B]: those of the first targets, in their order.
        targets: [N, D] of length 1.
    """
    layer = next((layer for layer in model.layers if isinstance(layer, EmbeddingLayer)), None)
    if layer is None:
        return
    embeddings = np.concatenate([model(images, training=False)["embedding"].numpy() for images, _ in batches])[:len(targets)]
    targets = targets[:len(embeddings)]
    rotation = rotation_onto(embeddings, targets)
    layer.set_weights([layer.kernel.numpy() @ rotation, layer.bias.numpy() @ rotation])
    if head is not None:
        head.kernel.assign(head.kernel.numpy() @ rotation)
    before, after = (float(np.mean(np.sum(vectors * targets, axis=1))) for vectors in (embeddings, embeddings @ rotation))
    logging.info("Embedding layer rotated onto the teacher's embeddings of %d images: mean cosine %.3f, before %.3f.",
                 len(targets), after, before)


def sample_vectors(feature_maps: Iterable[np.ndarray], num_vectors: int, seed: int = 0) -> np.ndarray:
    """Draws locations of feature maps without replacement, all with the same probability, in one pass (reservoir sampling).

    Args:
        feature_maps: Arrays [B, H, W, C] of any sizes.
        num_vectors: Number of locations to draw; all where there are fewer.
        seed: Seed of the draw.

    Returns:
        [N, C], N <= num_vectors; [0, 0] of no feature maps.
    """
    random = np.random.default_rng(seed)
    vectors, keys = np.zeros((0, 0), np.float32), np.zeros(0)
    for features in feature_maps:
        new = np.reshape(features, (-1, np.shape(features)[-1]))
        vectors = np.concatenate([vectors, new]) if vectors.size else new
        keys = np.concatenate([keys, random.random(len(new))])
        kept = np.sort(np.argsort(keys)[:num_vectors])
        vectors, keys = vectors[kept], keys[kept]
    return vectors


def init_kmeans(model: tf.keras.Model, batches: Iterable, num_vectors: int = 50_000, seed: int = 0) -> None:
    """Initializes the model's NetVLAD with centers and assignments of k-means; contextual reweighting stays random.

    Args:
        model: Model `<backbone>_netvlad` or `<backbone>_netvlad_crn`.
        batches: Training images [B, H, W, 3] and labels [B].
        num_vectors: Largest number of locations, drawn at random; the default is the authors'.
        seed: Seed of the draw and of k-means.

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
                        "Use more images.")
    layer.fit(vectors, seed)
    logging.info("NetVLAD initialized with %d centers of %d locations.", layer.clusters, len(vectors))


def init_whitening(model: tf.keras.Model, batches: Iterable, num_vectors: int = 50_000, seed: int = 0) -> None:
    """Initializes the model's `WhiteningReduction` with a PCA whitening of smoothed local features.

    Args:
        model: Model `<backbone>_how`; see `models.how`.
        batches: Training images [B, H, W, 3], 5,000 in the paper, and labels [B].
        num_vectors: Largest number of locations, drawn at random.
        seed: Seed of the draw.

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
                        f"{len(vectors)} locations that do not", "Use more images or a smaller embedding_dim.")
    if len(vectors) <= layer.dimension:
        raise too_few
    try:
        layer.fit(vectors)
    except ValueError as error:
        raise too_few from error
    logging.info("Reduction to %d channels fitted to %d locations.", layer.dimension, len(vectors))
