"""AdaCos: a scale that sets itself (Zhang et al.: AdaCos: Adaptively Scaling Cosine Logits for Effectively Learning
Deep Face Representations, CVPR 2019)."""

import math

import tensorflow as tf

from landmark_zoo.layers.heads.softmax import CosineHead


def fixed_scale(num_classes: int) -> float:
    """Returns sqrt(2) ln(N - 1), e.g. 15.99 for the 81,313 classes of GLDv2-clean."""
    return math.sqrt(2) * math.log(num_classes - 1)


def batch_statistics(cosines: tf.Tensor, labels: tf.Tensor, scale: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the two statistics of a batch that the next scale is computed from.

    Args:
        cosines: float32 [B, N].
        labels: int [B].
        scale: float32 [], the scale so far.

    Returns:
        The mean over the batch of sum_j exp(s (cos_j - 1)) over the other classes than the label's, which cannot
        overflow; and the cosine of the median angle to the label's class (of an even number, the smaller middle angle).
    """
    labels = tf.cast(labels, tf.int32)
    places = tf.stack([tf.range(tf.shape(labels)[0]), labels], axis=1)
    exponentials = tf.tensor_scatter_nd_update(tf.exp(scale * (cosines - 1)), places, tf.zeros_like(labels, tf.float32))
    targets = tf.sort(tf.gather_nd(cosines, places), direction="DESCENDING")
    return tf.reduce_mean(tf.reduce_sum(exponentials, axis=1)), targets[(tf.shape(targets)[0] - 1) // 2]


def next_scale(others: tf.Tensor, median: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Returns ln(B) / cos(min(pi / 4, median angle)), B = exp(s) times the first of `batch_statistics`; at least 0.1.

    Without the lower bound a batch of few, well separated classes could make it negative.
    """
    return tf.maximum((scale + tf.math.log(others)) / tf.maximum(median, math.sqrt(0.5)), 0.1)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class AdaCos(CosineHead):
    """Cosine head without margin and without a scale to choose.

    The scale starts at sqrt(2) ln(N - 1), which suits the number of classes. If adaptive, every call of
    `training_logits` first sets it anew from its batch, so that it falls as the angles to the labels' classes do. The
    scale is a weight that is saved and does not learn by gradient. Under `tf.distribute` the statistics are averaged
    over the replicas (the median is then a mean of medians), so that all replicas have one scale.

    While all embeddings point much the same way, as features after a ReLU do, the scale grows at every step: start
    from centred embeddings or use the fixed scale, as the winners of the Google Landmark Retrieval Challenge 2020 did.

    Args:
        num_classes: N >= 3.
        adaptive: Whether the scale adapts; if not, it stays as it starts.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def __init__(self, num_classes: int, adaptive: bool = True, **kwargs):
        if num_classes < 3:
            raise ValueError(f"AdaCos: expected num_classes >= 3, else the scale is 0; received {num_classes}.")
        super().__init__(num_classes, fixed_scale(num_classes), **kwargs)
        self.adaptive = adaptive

    def build(self, input_shape):
        start = tf.keras.initializers.Constant(fixed_scale(self.num_classes))
        self.scale = self.add_weight("scale", [], initializer=start, trainable=False,
                                     synchronization=tf.VariableSynchronization.ON_READ,
                                     aggregation=tf.VariableAggregation.MEAN)
        super().build(input_shape)

    def training_logits(self, logits, labels, classes=None):
        """Returns the logits of the loss and, if adaptive, moves the scale.

        Args:
            logits: Logits of a call since the scale last moved. If of some classes only, the scale becomes that for so few.
            labels: int [B], the right column of each row.
            classes: int [S], the class of each column; None where it is the column's number.
        """
        if not self.adaptive:
            return logits
        before = tf.convert_to_tensor(self.scale)
        cosines = logits / before
        statistics = batch_statistics(tf.stop_gradient(cosines), labels, before)
        replica = tf.distribute.get_replica_context()
        if replica is not None:
            statistics = replica.all_reduce(tf.distribute.ReduceOp.MEAN, statistics)
        after = next_scale(*statistics, before)
        self.scale.assign(after)
        return after * cosines

    def get_config(self):
        config = {**super().get_config(), "adaptive": self.adaptive}
        del config["scale"]
        return config
