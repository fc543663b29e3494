"""What every head has in common."""

import tensorflow as tf

from landmark_zoo.layers.l2_normalise import l2_normalise


class Head(tf.keras.layers.Layer):
    """Embedding to logits, in float32, with a kernel of one row per class.

    A call gives the logits of inference, without margin: of all classes, or of those `classes` int [S] that it is given.
    `training_logits` turns them into those that the cross-entropy of a training step sees; here they are the same, a margin
    head overrides it.

    Args:
        num_classes: N.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def __init__(self, num_classes: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if num_classes < 2:
            raise ValueError(f"{type(self).__name__}: expected num_classes >= 2; received {num_classes}.")
        self.num_classes, self.kernel_rows = num_classes, num_classes

    def build(self, input_shape):
        shape = [self.kernel_rows, int(input_shape[-1])]
        self.kernel = self.add_weight("kernel", shape, initializer="glorot_uniform")
        super().build(input_shape)

    def rows(self, classes: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the kernel [N, D], or its rows [S, D] of `classes`, whose gradient is then sparse (`tf.IndexedSlices`)."""
        return tf.convert_to_tensor(self.kernel) if classes is None else tf.gather(self.kernel, classes)

    def training_logits(self, logits: tf.Tensor, labels: tf.Tensor, classes: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the logits of the loss.

        Args:
            logits: [B, N] of a call, or [B, S] of a call with `classes`.
            labels: int [B], which column of `logits` is the right one.
            classes: int [S], the class of each column; None where it is the column's number.

        Returns:
            float32, in the shape of `logits`.
        """
        del labels, classes
        return logits

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], self.num_classes])

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


class CosineHead(Head):
    """Scale times the cosine between the embedding and one vector per class.

    Args:
        num_classes: N.
        scale: s, what the cosines are multiplied with.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def __init__(self, num_classes: int, scale: float = 30.0, **kwargs):
        super().__init__(num_classes, **kwargs)
        if not scale > 0:
            raise ValueError(f"{type(self).__name__}: expected scale > 0; received {scale}.")
        self.scale = scale

    def cosines(self, inputs: tf.Tensor, classes: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the cosines [B, N], or [B, S] of `classes`, of embeddings [B, D], which need not be normalised."""
        return tf.matmul(l2_normalise(inputs), l2_normalise(self.rows(classes)), transpose_b=True)

    def call(self, inputs, classes=None):
        return self.scale * self.cosines(inputs, classes)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
