"""SOSNet's loss on pairs of pictures (Tian, Yu, Fan, Wu, Heijnen, Balntas: SOSNet: Second Order Similarity Regularization
for Local Descriptor Learning, CVPR 2019, section 3), in the form of the authors' later code for HyNet."""

import tensorflow as tf


def distances_between(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Returns sqrt(2 (1 - cos) + 1e-6) [B, B] of rows of length 1; never below 0.001."""
    return tf.sqrt(tf.maximum(2 * (1 - tf.matmul(left, right, transpose_b=True)), 0) + 1e-6)


def negative_order(distances: tf.Tensor) -> tf.Tensor:
    """Returns distances [B, B] to sort by: the diagonal and pairs nearer than 0.008 are put 2 further away.

    Pairs as near as that are taken for pictures of one landmark under two labels.
    """
    near = tf.cast(distances <= 8e-3, tf.float32)
    return tf.stop_gradient(distances + 2 * near + 2 * tf.eye(tf.shape(distances)[0]))


def hardest_triplets(anchors: tf.Tensor, positives: tf.Tensor, margin: float) -> tf.Tensor:
    """Returns max(margin + d(a_i, p_i) - nearest negative, 0)^2 [B]; negatives are looked for on all four sides."""
    across = distances_between(anchors, positives)
    sides = [distances_between(anchors, anchors), distances_between(positives, positives), across, tf.transpose(across)]
    nearest = [tf.gather(side, tf.argmin(negative_order(side), axis=1), batch_dims=1) for side in sides]
    return tf.maximum(margin + tf.linalg.diag_part(across) - tf.reduce_min(nearest, axis=0), 0) ** 2


def neighbourhoods(anchors: tf.Tensor, positives: tf.Tensor, neighbours: int) -> tf.Tensor:
    """Returns float32 [B, B], symmetric: 1 where i is among the nearest of j or j of i on any side, 0 on the diagonal."""
    across = distances_between(anchors, positives)
    size = tf.shape(across)[0]
    found = tf.zeros_like(across)
    for side in (distances_between(anchors, anchors), distances_between(positives, positives), across, tf.transpose(across)):
        nearest = tf.math.top_k(-negative_order(side), tf.minimum(neighbours, size)).indices
        found += tf.reduce_sum(tf.one_hot(nearest, size), axis=1)
    return tf.cast(found + tf.transpose(found) > 0, tf.float32) * (1 - tf.eye(size))


def second_order_term(anchors: tf.Tensor, positives: tf.Tensor, neighbours: int) -> tf.Tensor:
    """Returns sqrt(sum over neighbours j of (d(a_i, a_j) - d(p_i, p_j))^2 + 1e-6) [B]."""
    differences = distances_between(anchors, anchors) - distances_between(positives, positives)
    return tf.sqrt(tf.reduce_sum((neighbourhoods(anchors, positives, neighbours) * differences) ** 2, axis=1) + 1e-6)


def sosnet_loss(anchors: tf.Tensor, positives: tf.Tensor, margin: float = 1.0, neighbours: int = 8) -> tf.Tensor:
    """Returns the hardest-in-batch triplets plus the second-order term of each pair.

    The paper's loss is the sum of what is returned, not the mean.

    Args:
        anchors: [B, D] of length 1, B pictures of B different landmarks.
        positives: [B, D] of length 1, another picture of each landmark.
        margin: Of plain distances; the hinge is squared afterwards.
        neighbours: k, of how many nearest pairs the distances shall agree.

    Returns:
        float32 [B].
    """
    if not margin >= 0 or neighbours < 1:
        raise ValueError(f"sosnet_loss: expected margin >= 0 and neighbours >= 1; received {margin} and {neighbours}.")
    anchors, positives = tf.cast(anchors, tf.float32), tf.cast(positives, tf.float32)
    return hardest_triplets(anchors, positives, margin) + second_order_term(anchors, positives, neighbours)
