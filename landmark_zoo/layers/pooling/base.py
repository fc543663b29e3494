"""What every pooling has in common."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import channels_of


class Pooling(tf.keras.layers.Layer):
    """A layer from a feature map to one vector, float32 whatever the precision policy.

    The vector is not normalised, unless the pooling says so: the embedding layer behind it does that.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, C], unless the pooling says otherwise.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def build(self, input_shape):
        channels_of(input_shape, type(self).__name__)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], input_shape[-1]])
