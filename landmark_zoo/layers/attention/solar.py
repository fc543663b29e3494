"""Second-order attention of SOLAR (Ng, Balntas, Tian, Mikolajczyk: SOLAR: Second-Order Loss and Attention for Image
Retrieval, ECCV 2020, section 3)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of
from landmark_zoo.layers.attention.chunked_attention import chunked_attention, flatten_locations, size


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SecondOrderAttention(Attention):
    """Adds to each location what it gathers from all locations; queries and keys are non-negative.

        y_i = x_i + v(sum_j softmax_j(D^-0.5 f(x_i) . g(x_j)) h(x_j)),    f, g = ReLU(BN(conv1x1)),    h, v = conv1x1

    v starts at zero, weight and bias: the block starts as identity.

    Args:
        reduction: C / D, by how much f, g and h are narrower than the channels. The authors have 2 after the last
            stage of a ResNet ("SOA5") and 4 after the one before ("SOA4").
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C >= reduction. The map "solar" is [B, H, W, 1]: how much each location is
        attended to, in the mean over all, times the number of locations (1 is the average).
    """

    def __init__(self, reduction: int = 2, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if reduction < 1:
            raise ValueError(f"SecondOrderAttention: expected reduction >= 1; received {reduction}.")
        self.reduction = reduction

    def build(self, input_shape):
        channels = channels_of(input_shape, "SecondOrderAttention", self.reduction)
        middle = channels // self.reduction
        self.f, self.g, self.h = (
            tf.keras.layers.Conv2D(middle, 1, kernel_initializer="he_normal", dtype=self.dtype_policy, name=name)
            for name in ("f", "g", "h"))
        self.f_normalise, self.g_normalise = (
            tf.keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=self.dtype_policy, name=name)
            for name in ("f_normalise", "g_normalise"))
        self.v = tf.keras.layers.Conv2D(channels, 1, kernel_initializer="zeros", dtype=self.dtype_policy, name="v")
        for layer in (self.f, self.g, self.h):
            layer.build([None, None, None, channels])
        for layer in (self.f_normalise, self.g_normalise, self.v):
            layer.build([None, None, None, middle])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        query = tf.nn.relu(self.f_normalise(self.f(inputs), training=training))
        key = tf.nn.relu(self.g_normalise(self.g(inputs), training=training))
        value = self.h(inputs)
        attended, received = chunked_attention(*map(flatten_locations, (query, key, value)), value.shape[-1] ** -0.5)
        batch, height, width = (size(inputs, axis) for axis in range(3))
        attended = tf.reshape(attended, [batch, height, width, value.shape[-1]])
        received *= tf.cast(height * width, tf.float32)
        return inputs + self.v(attended), {"solar": tf.reshape(received, [batch, height, width, 1])}

    def get_config(self):
        return {**super().get_config(), "reduction": self.reduction}
