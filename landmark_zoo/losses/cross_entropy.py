"""Cross-entropy losses of single images, one number per row of logits, and weights of rare classes.

Sources: label smoothing, Szegedy et al., CVPR 2016; the sum of two branches, Fukui et al., Attention Branch Network, CVPR
2019, equation 3; the sum of three, Cao et al., DELG, ECCV 2020, section 3.3 (weights from the authors' code).
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def softmax_cross_entropy(labels: tf.Tensor, logits: tf.Tensor, label_smoothing: float = 0.0,
                          class_weights: tf.Tensor | None = None) -> tf.Tensor:
    """Returns -log softmax(logits)[label] of each row, in float32.

    Smoothing mixes the target with the uniform distribution without building one-hot rows of [B, N]: the loss is
    (1 - smoothing) times the plain one plus smoothing times the mean of -log softmax over all classes.

    Class weights multiply each row by that of its label and nothing is divided by their sum in the batch, so that the mean
    over a batch does not depend on how it is split over replicas.

    Args:
        labels: int [B].
        logits: [B, N].
        label_smoothing: 0 <= smoothing < 1.
        class_weights: float32 [N], see `class_weights`; None weighs all rows alike.

    Returns:
        float32 [B].

    Example:
        >>> f"{float(softmax_cross_entropy([1], [[0.0, 0.0]])[0]):.4f}"
        '0.6931'
    """
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"softmax_cross_entropy: expected 0 <= label_smoothing < 1; received {label_smoothing}.")
    logits = tf.cast(logits, tf.float32)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if label_smoothing > 0:
        uniform = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
        loss = (1 - label_smoothing) * loss + label_smoothing * uniform
    return loss if class_weights is None else loss * tf.gather(tf.cast(class_weights, tf.float32), labels)


def class_weights(counts: Sequence[int] | np.ndarray, kind: str = "inverse_log") -> np.ndarray:
    """Returns one weight per landmark for `softmax_cross_entropy`, of mean 1 over the landmarks that have images.

    * "inverse_log", 1 / ln(1 + n): the winners of the Google Landmark Recognition challenge 2020;
    * "inverse", 1 / n: every landmark counts the same in total.

    Args:
        counts: int [N], n training images of each landmark.
        kind: "inverse_log" or "inverse".

    Returns:
        float32 [N]; 0 where there are no images.

    Example:
        >>> class_weights([1, 3], "inverse").tolist()
        [1.5, 0.5]
    """
    counts = np.asarray(counts)
    if counts.ndim != 1 or not (counts >= 0).all() or not (counts > 0).any():
        raise ValueError("class_weights: expected counts [N] of 0 or more, one at least above 0; "
                         f"received {counts.tolist()}.")
    if kind not in ("inverse_log", "inverse"):
        raise ValueError(f"class_weights: expected kind 'inverse_log' or 'inverse'; received {kind!r}.")
    present = counts > 0
    divisors = np.log1p(counts[present]) if kind == "inverse_log" else counts[present]
    weights = np.zeros(len(counts))
    weights[present] = 1 / divisors
    return (weights / weights[present].mean()).astype(np.float32)


def attention_branch_loss(labels: tf.Tensor, attention_logits: tf.Tensor, logits: tf.Tensor, alpha: float = 1.0,
                          beta: float = 1.0, label_smoothing: float = 0.0) -> tf.Tensor:
    """Returns alpha CE(attention) + beta CE(perception) of each row, in float32.

    Both are logits. Probabilities in their place are taken for logits, and the softmax of a softmax never comes near a
    certain answer: with one right class of K at 1 its cross-entropy is still ln(e + K - 1) - 1, 2.358 at K = 27.

    Args:
        labels: int [B].
        attention_logits: [B, K], of the attention branch.
        logits: [B, K], of the perception branch, with the margin of its head where it has one.
        alpha: Weight of the attention branch's loss; 1 in the paper.
        beta: Weight of the perception branch's loss; 1 in the paper.
        label_smoothing: 0 <= smoothing < 1, see `softmax_cross_entropy`.

    Returns:
        float32 [B].

    Example:
        >>> f"{float(attention_branch_loss([1], [[0.0, 0.0]], [[0.0, 0.0]])[0]):.4f}"
        '1.3863'
    """
    if alpha < 0 or beta < 0:
        raise ValueError(f"attention_branch_loss: expected alpha >= 0 and beta >= 0; received {alpha} and {beta}.")
    return (alpha * softmax_cross_entropy(labels, attention_logits, label_smoothing)
            + beta * softmax_cross_entropy(labels, logits, label_smoothing))


def delg_loss(global_losses: tf.Tensor, attention_losses: tf.Tensor, reconstruction_errors: tf.Tensor,
              attention_weight: float = 1.0, reconstruction_weight: float = 10.0) -> tf.Tensor:
    """Returns global + attention_weight * attention + reconstruction_weight * reconstruction of each example, in float32.

    Args:
        global_losses: [B], cross-entropies of the global branch, with the head's margin.
        attention_losses: [B], cross-entropies of the local branch.
        reconstruction_errors: [B], mean squared errors of the autoencoder.
        attention_weight: beta, weight of the local branch's cross-entropy.
        reconstruction_weight: lambda, weight of the reconstruction error.

    Returns:
        float32 [B].

    Example:
        >>> delg_loss([1.0], [2.0], [0.5]).numpy().tolist()
        [8.0]
    """
    if attention_weight < 0 or reconstruction_weight < 0:
        raise ValueError("delg_loss: expected attention_weight >= 0 and reconstruction_weight >= 0; "
                         f"received {attention_weight} and {reconstruction_weight}.")
    return (tf.cast(global_losses, tf.float32) + attention_weight * tf.cast(attention_losses, tf.float32)
            + reconstruction_weight * tf.cast(reconstruction_errors, tf.float32))
