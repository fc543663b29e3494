"""The dense layer of ordinary classification."""

import tensorflow as tf

from landmark_zoo.layers.heads.base import Head


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class Softmax(Head):
    """logits = W x + b, nothing normalised.

    Embeddings of length 1 bound the logits by the lengths of the rows of W, which must grow before the loss falls.

    Args:
        num_classes: N.
        **kwargs: Keras' own.

    Input shape:
        [B, D].

    Output shape:
        float32 [B, N].
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.bias = self.add_weight("bias", [self.num_classes], initializer="zeros")

    def call(self, inputs, classes=None):
        bias = self.bias if classes is None else tf.gather(self.bias, classes)
        return tf.matmul(inputs, self.rows(classes), transpose_b=True) + bias
