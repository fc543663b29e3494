"""The attention of HOW (Tolias, Jenicek, Chum: Learning and Aggregating Deep Local Descriptors for Instance-Level
Recognition, ECCV 2020)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


def l2_attention(features: tf.Tensor) -> tf.Tensor:
    """Returns sqrt(|x|^2 + 1e-10) of each location.

    Args:
        features: [B, H, W, C].

    Returns:
        float32 [B, H, W, 1].
    """
    return tf.sqrt(tf.reduce_sum(tf.cast(features, tf.float32) ** 2, axis=-1, keepdims=True) + 1e-10)


def smooth(features: tf.Tensor) -> tf.Tensor:
    """Returns the mean of the 3x3 neighbours of each location; at the border, of those inside the map.

    Args:
        features: [B, H, W, C].

    Returns:
        [B, H, W, C].
    """
    return tf.nn.avg_pool2d(features, 3, 1, "SAME")


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class HOW(Attention):
    """Weighs each smoothed location by the length of its feature before smoothing; nothing is learnt.

        w_i = |x_i| / max_j |x_j|,    y_i = w_i (mean of the 3x3 neighbours of x_i)

    Sum pooling of y and L2 normalisation give the vector that HOW trains. The authors divide by the maximum of the
    whole batch, so that what an image gives depends on its batch; here it is the maximum of the image, in training
    and inference, which after L2 normalisation is the same embedding.

    HOW reduces the smoothed features to 128 channels before it weighs them: `l2_attention(x) * reduction(smooth(x))`
    with a `WhiteningReduction`. Behind this layer the reduction would add its bias to every location alike.

    Args:
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "how" is [B, H, W, 1], 0..1.
    """

    def build(self, input_shape):
        channels_of(input_shape, "HOW")
        super().build(input_shape)

    def attend(self, inputs, training=None):
        attention = l2_attention(inputs)
        attention = tf.cast(attention / tf.reduce_max(attention, axis=(1, 2), keepdims=True), inputs.dtype)
        return attention * smooth(inputs), {"how": attention}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class L2Attention(tf.keras.layers.Layer):
    """Length of the feature at each location, float32 whatever the precision policy.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, H, W, 1].
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        return l2_attention(inputs)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([*input_shape[:-1], 1])
