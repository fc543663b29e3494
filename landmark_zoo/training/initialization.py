"""Data-dependent initialization: PCA of the embedding, whitening of local features, k-means centers of NetVLAD.

A random 512-d layer trained on a few dozen landmarks ends below the pretrained features themselves; initialized as their
PCA it starts above them, and with the landmarks' mean embeddings as class weights the first gradients already mean
something.
"""

import dataclasses
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
from landmark_zoo.models.how import build_how
from landmark_zoo.models.registry import MODELS, ModelConfig

INITIAL_EMBEDDINGS = ("random", "pca", "whitening", "clusters")
MIN_PCA_IMAGES = 8
NULL_VARIANCE = 1e-7  # of the largest, below which a component is rounding error: what copies of an image span
LEAST_SCALING_VARIANCE = 0.01  # of the largest, by which such components are divided at the least


def default_embedding(config: ModelConfig) -> str:
    """Returns the part of a model that is fitted to images before training, one of `INITIAL_EMBEDDINGS`.

    What the model has of these, as `experiments.train` takes it where the backbone is pretrained.

    Example:
        >>> default_embedding(ModelConfig("mobilenetv2_gem")), default_embedding(ModelConfig("resnet50_how"))
        ('pca', 'whitening')
    """
    row = MODELS[config.model]
    if row.get("builder") is build_how and config.embedding_dim:
        return "whitening"
    if "netvlad" in str(config.pooling or row.get("pooling")):
        return "clusters"
    return "random" if "builder" in row or not config.embedding_dim else "pca"


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


def build_for_pca(config: ModelConfig, num_classes: int | None, weights: str | None,
                  num_images: int) -> tuple[ModelConfig, tf.keras.Model]:
    """Builds a model whose embedding has no more dimensions than a PCA of so many images can fill.

    N images span N - 1 directions around their mean: the embedding gets min(embedding_dim, N - 1, channels) dimensions.

    Args:
        config: Settings of the model.
        num_classes: Number of landmarks.
        weights: Weights of the backbone; see `backbones.load_weights`.
        num_images: N, images that the PCA is fitted to.

    Returns:
        The settings, with that dimension as `embedding_dim`, and the model.

    Raises:
        UserError: Fewer than `MIN_PCA_IMAGES` images, or a model without an embedding layer.
    """
    if num_images < MIN_PCA_IMAGES:
        raise UserError(f"at least {MIN_PCA_IMAGES} training images for --initial_embedding=pca", str(num_images),
                        "Add images, or use --initial_embedding=random.")
    fitting = dataclasses.replace(config, embedding_dim=min(config.embedding_dim, num_images - 1))
    model = fitting.build(num_classes, weights)
    channels = int(_embedding_layer(model).get_input_at(-1).shape[-1])
    if channels < fitting.embedding_dim:
        fitting = dataclasses.replace(fitting, embedding_dim=channels)
        model = fitting.build(num_classes, weights)
    if fitting != config:
        logging.info("The embedding gets %d dimensions in place of %d: a PCA of %d images with %d channels has no more.",
                     fitting.embedding_dim, config.embedding_dim, num_images, channels)
    return fitting, model


def _embedding_layer(model: tf.keras.Model) -> EmbeddingLayer:
    layer = model.get_layer("embedding")
    if not isinstance(layer, EmbeddingLayer):
        raise UserError("an embedding layer for --initial_embedding=pca", f"{model.name} without one",
                        "Give --embedding_dim, or use another start.")
    return layer


def init_pca(model: tf.keras.Model, head: Head | None, batches: Iterable, power: float = 0.25, seed: int = 0) -> float:
    """Initializes the layer "embedding" as a PCA of the pooled, L2-normalized features, and the head with class means.

    Where copies among the images leave components without variance, these stay, as arbitrary directions outside of what
    the images span: they tell other landmarks apart. They are divided by no less than the power of
    `LEAST_SCALING_VARIANCE` of the largest variance, for rounding errors would enlarge them a thousandfold. Measured on 16
    unseen landmarks with the PCA of 5 photographs and 15 copies (EfficientNet-Lite0, mean of 6 draws): mAP 33 %, against
    26 % when divided by their own variance and 22 % when left out.

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
        UserError: Fewer images than dimensions, a dimension above the number of channels, or no two unlike images.
    """
    layer = _embedding_layer(model)
    pooled = tf.keras.Model(model.input, layer.get_input_at(-1))
    collected = [(pooled(images, training=False).numpy(), labels.numpy()) for images, labels in batches]
    features, labels = (np.concatenate(column) for column in zip(*collected, strict=True))
    count, channels = features.shape
    if layer.dimension > min(count, channels):
        raise UserError(f"--embedding_dim <= {min(count, channels)} for --initial_embedding=pca",
                        f"{layer.dimension} ({count} images, {channels} channels)",
                        "Lower --embedding_dim or use --initial_embedding=random.")
    normalized = features.astype(np.float64) / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    pca = PCA(layer.dimension, random_state=seed).fit(normalized)
    if not pca.explained_variance_[0] > 1e-12:
        raise UserError("unlike images for --initial_embedding=pca", f"{count} that look the same to {model.name}",
                        "Use other images, or --initial_embedding=random.")
    layer.set_projection(pca.mean_, pca.components_.T / scaling_variances(pca.explained_variance_) ** power)
    if head is not None:
        head.kernel.assign(_with_class_means(head.kernel.numpy(), layer(features).numpy(), labels))
    kept = float(pca.explained_variance_ratio_.sum())
    logging.info("Embedding layer initialized as the PCA of %d images: %d of %d dimensions keep %.1f %% of the variance.",
                 count, layer.dimension, channels, 100 * kept)
    return kept


def scaling_variances(variances: np.ndarray) -> np.ndarray:
    """Returns the variances by which components are scaled: their own, and no rounding error (see `init_pca`).

    Example:
        >>> scaling_variances(np.array([4.0, 2.0, 1.0, 1e-12]))
        array([4., 2., 1., 1.])
        >>> scaling_variances(np.array([4.0, 1e-3, 1e-12]))
        array([4.e+00, 1.e-03, 4.e-02])

    Args:
        variances: [D], falling, the first above 0.
    """
    null = variances <= NULL_VARIANCE * variances[0]
    least = max(variances[~null].min(), LEAST_SCALING_VARIANCE * variances[0])
    return np.where(null, least, variances)


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
