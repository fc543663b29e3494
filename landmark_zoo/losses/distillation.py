"""Distillation: losses that bring a student's embeddings, or its similarities, to those of a teacher, and the linear algebra
that gives both the same dimension and the same axes.

The student sees a random view of each image, the teacher has seen the whole image once.
"""

import numpy as np
import tensorflow as tf

TEMPERATURE = 0.1


def embedding_loss(embeddings: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Returns 1 - cosine of each embedding and its target, half their squared distance.

    The student regresses the teacher's embeddings ("regression" of Budnik, Avrithis: Asymmetric Metric Learning for
    Knowledge Transfer, CVPR 2021), and so can search an index of the teacher's.

    Args:
        embeddings: [B, D] of length 1.
        targets: [B, D] of length 1.

    Returns:
        float32 [B], from 0 to 2.

    Raises:
        ValueError: Targets of another dimension.

    Example:
        >>> [round(float(loss), 4) for loss in embedding_loss([[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [1.0, 0.0]])]
        [0.0, 0.4]
    """
    embeddings, targets = tf.cast(embeddings, tf.float32), tf.cast(targets, tf.float32)
    if embeddings.shape[-1] != targets.shape[-1]:
        raise ValueError(f"embedding_loss: expected targets of dimension {embeddings.shape[-1]}; received "
                         f"{targets.shape[-1]}.")
    return tf.reduce_sum((embeddings - targets) ** 2, axis=-1) / 2


def similarity_loss(embeddings: tf.Tensor, targets: tf.Tensor, temperature: float = TEMPERATURE) -> tf.Tensor:
    """Returns how far the student's ranking of a batch is from the teacher's, whatever the dimension of either.

        T  mean over i of  sum over j != i of  p_ij (ln p_ij - ln q_ij)
        p_ij = softmax over j != i of t_i t_j / T,  q_ij likewise of the student's e_i e_j

    The Kullback-Leibler divergence between two distributions over the neighbors of each image, as in Fang et al.: SEED,
    ICLR 2021, and Koohpayegani, Tejankar, Pirsiavash: CompRess, NeurIPS 2020; there over a queue of
    earlier images, here over the batch, with one temperature for both. The factor T makes the gradient by a cosine
    (q_ij - p_ij) / B, of the size of that of `embedding_loss`, whatever T. Near neighbors count most, whereas in the squared
    difference of the two matrices (Tung, Mori: Similarity-Preserving Knowledge Distillation, ICCV 2019) the many unlike
    pairs do.

    Args:
        embeddings: [B, D] of length 1.
        targets: [B, E] of length 1, of the same images.
        temperature: T, above 0.

    Returns:
        float32 scalar, 0 or more; 0 for fewer than three images.

    Example:
        >>> same = similarity_loss([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], [[0.0, 1.0], [0.8, 0.6], [1.0, 0.0]])
        >>> abs(float(same)) < 1e-6
        True
    """
    of_teacher, of_student = (_log_neighbors(tf.cast(vectors, tf.float32), temperature) for vectors in (targets, embeddings))
    return temperature * tf.reduce_mean(tf.reduce_sum(tf.exp(of_teacher) * (of_teacher - of_student), axis=1))


def _log_neighbors(vectors: tf.Tensor, temperature: float) -> tf.Tensor:
    """Returns the logarithms [B, B] of each image's distribution over the others; about -1e9 for itself."""
    similarities = tf.matmul(vectors, vectors, transpose_b=True) / temperature
    return tf.nn.log_softmax(tf.linalg.set_diag(similarities, tf.fill([tf.shape(vectors)[0]], -1e9)), axis=1)


def dot_product_projection(second_moment: np.ndarray, dimension: int) -> tuple[np.ndarray, float]:
    """Returns the projection after which the dot products of given vectors are nearest to those before it.

    It is the PCA without centering, onto the leading eigenvectors of X'X: of all matrices of rank D, X P (X P)' is then the
    nearest to X X' (Eckart, Young: The Approximation of One Matrix by Another of Lower Rank, Psychometrika 1936). A mean
    that was taken off would change every dot product.

    Args:
        second_moment: X'X [E, E] of vectors X [N, E].
        dimension: D. Above E, the vectors are kept and columns of zeros added.

    Returns:
        P, float64 [E, D], and the fraction of the squared lengths that it keeps.

    Example:
        >>> projection, kept = dot_product_projection(np.diag([9.0, 0.0, 1.0]), 1)
        >>> np.abs(projection).tolist(), kept
        ([[1.0], [0.0], [0.0]], 0.9)
    """
    size = len(second_moment)
    if dimension >= size:
        return np.eye(size, dimension), 1.0
    values, directions = np.linalg.eigh(np.asarray(second_moment, np.float64))
    kept = values[::-1][:dimension].sum() / max(values.sum(), 1e-300)
    return np.ascontiguousarray(directions[:, ::-1][:, :dimension]), float(kept)


def rotation_onto(embeddings: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the orthogonal R [D, D] for which the embeddings times R are nearest to the targets, by least squares.

    R = U V' of the singular value decomposition U S V' of X'T (Schönemann: A Generalized Solution of the Orthogonal
    Procrustes Problem, Psychometrika 1966). No dot product of embeddings changes.

    Args:
        embeddings: X [N, D].
        targets: T [N, D].

    Example:
        >>> np.abs(rotation_onto(np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]])).round(6)).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    left, _, right = np.linalg.svd(np.asarray(embeddings, np.float64).T @ np.asarray(targets, np.float64))
    return left @ right
