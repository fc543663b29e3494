"""The two cross-entropies of an Attention Branch Network (Fukui, Hirakawa, Yamashita, Fujiyoshi: Attention Branch
Network, CVPR 2019, equation 3)."""

import tensorflow as tf

from landmark_zoo.losses.softmax_cross_entropy import softmax_cross_entropy


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
        label_smoothing: See `softmax_cross_entropy`.

    Returns:
        float32 [B].
    """
    if alpha < 0 or beta < 0:
        raise ValueError(f"attention_branch_loss: expected alpha >= 0 and beta >= 0; received {alpha} and {beta}.")
    return (alpha * softmax_cross_entropy(labels, attention_logits, label_smoothing)
            + beta * softmax_cross_entropy(labels, logits, label_smoothing))
