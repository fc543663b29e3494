"""What every head has in common."""

import tensorflow as tf

from landmark_zoo.layers.l2_normalise import l2_normalise


class Head(tf.keras.layers.Layer):
    """Embedding to logits, in float32, with a kernel of one column per class.

    A call gives the logits of inference, without margin. `training_logits` turns them into those that the cross-entropy
    of a training step sees; here they are the same, a margin head overrides it.

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
        self.num_classes, self.kernel_columns = num_classes, num_classes

    def build(self, input_shape):
        shape = [int(input_shape[-1]), self.kernel_columns]
        self.kernel = self.add_weight("kernel", shape, initializer="glorot_uniform")
        super().build(input_shape)

    def training_logits(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Returns the logits [B, N] of the loss, given those of a call and int labels [B]."""
        del labels
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

    def cosines(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns the cosines [B, N] of embeddings [B, D], which need not be normalised."""
        return l2_normalise(inputs) @ l2_normalise(self.kernel, axis=0)

    def call(self, inputs):
        return self.scale * self.cosines(inputs)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
