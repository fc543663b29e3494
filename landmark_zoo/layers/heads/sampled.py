"""Training logits of the batch's classes and a random sample of the others (An et al.: Partial FC: Training 10 Million
Identities on a Single Machine, ICCV Workshops 2021)."""

import tensorflow as tf

from landmark_zoo.layers.heads.base import Head


def sample_classes(labels: tf.Tensor, num_classes: int, num_sampled: int, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the classes of `labels` and as many others as fill up `num_sampled`, each class once.

    Every class draws a number and the largest win, those of the labels before all others. Replicas that draw with one seed
    therefore share all classes but those that their labels pushed out.

    Args:
        labels: int [B].
        num_classes: N.
        num_sampled: S <= N, at least B.
        seed: int [2], another one for each step.

    Returns:
        classes int32 [S] in no order, and positions int32 [B] with classes[positions] = labels.
    """
    labels = tf.cast(labels, tf.int32)
    if not (labels.shape[0] or 1) <= num_sampled <= num_classes:
        raise ValueError("sample_classes: expected batch size <= num_sampled <= num_classes; "
                         f"received {labels.shape[0]}, {num_sampled} and {num_classes}.")
    tf.debugging.assert_less_equal(tf.size(labels), num_sampled, "sample_classes: expected batch size <= num_sampled.")
    drawn = tf.random.stateless_uniform([num_classes], seed)
    drawn = tf.tensor_scatter_nd_update(drawn, labels[:, tf.newaxis], tf.fill(tf.shape(labels), 2.0))
    classes = tf.math.top_k(drawn, num_sampled, sorted=False).indices
    column = tf.scatter_nd(classes[:, tf.newaxis], tf.range(num_sampled), [num_classes])
    return classes, tf.gather(column, labels)


def sampled_training_logits(head: Head, embeddings: tf.Tensor, labels: tf.Tensor, num_sampled: int,
                            seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns training logits of a sample of classes without the product with all N of them.

    For very many classes, as the 203,094 of GLDv2 before cleaning. With `positions` as labels the cross-entropy of these
    logits is that of all classes where S = N; with fewer it is lower, by about ln(N / S) at the start, and not corrected.

    Args:
        head: Built.
        embeddings: [B, D].
        labels: int [B].
        num_sampled: S; see `sample_classes`.
        seed: int [2]; the same on all replicas, another one for each step.

    Returns:
        float32 [B, S] and int32 [B], the column of each label.
    """
    classes, positions = sample_classes(labels, head.num_classes, num_sampled, seed)
    return head.training_logits(head(embeddings, classes=classes), positions, classes), positions
