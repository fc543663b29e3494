"""Convolutional block attention module (Woo et al.: CBAM, ECCV 2018, section 3, equations 1-3)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CBAMChannel(Attention):
    """The channel half of CBAM: a gate from the mean and the maximum of each channel.

        s = sigmoid(mlp(mean_hw(x)) + mlp(max_hw(x))),    y = s x,    mlp(v) = W2 relu(W1 v + b1) + b2

    One MLP serves both, so that b2 counts twice. It has biases as in the authors' code; equation 2 has none. The gate
    starts near 0.5, not at identity.

    Args:
        reduction: r, by how much the hidden layer is narrower than the channels (16 in the paper).
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C >= reduction. The map "channel" is [B, 1, 1, C].
    """

    def __init__(self, reduction: int = 16, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if reduction < 1:
            raise ValueError(f"CBAMChannel: expected reduction >= 1; received {reduction}.")
        self.reduction = reduction

    def build(self, input_shape):
        channels = channels_of(input_shape, "CBAMChannel", self.reduction)
        self.squeeze = tf.keras.layers.Dense(channels // self.reduction, "relu", kernel_initializer="he_normal",
                                             dtype=self.dtype_policy, name="squeeze")
        self.excite = tf.keras.layers.Dense(channels, kernel_initializer="he_normal", dtype=self.dtype_policy,
                                            name="excite")
        self.squeeze.build([None, 1, 1, channels])
        self.excite.build([None, 1, 1, channels // self.reduction])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        mean = tf.reduce_mean(tf.cast(inputs, tf.float32), axis=(1, 2), keepdims=True)
        largest = tf.reduce_max(inputs, axis=(1, 2), keepdims=True)
        gate = tf.sigmoid(self.excite(self.squeeze(mean)) + self.excite(self.squeeze(largest)))
        return gate * inputs, {"channel": gate}

    def get_config(self):
        return {**super().get_config(), "reduction": self.reduction}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CBAMSpatial(Attention):
    """The spatial half of CBAM: a gate from the maximum and the mean over the channels of each location.

        s = sigmoid(BN(w * [max_c(x), mean_c(x)])),    y = s x

    where * is a 7 x 7 convolution without bias. Order and batch normalisation are those of the authors' code; equation
    3 has the mean first and no normalisation. As in the code the normalisation's scale starts at zero, and so the gate
    at 0.5 everywhere.

    Args:
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "spatial" is [B, H, W, 1].
    """

    def build(self, input_shape):
        channels_of(input_shape, "CBAMSpatial")
        self.convolution = tf.keras.layers.Conv2D(1, 7, padding="same", use_bias=False, kernel_initializer="he_normal",
                                                  dtype=self.dtype_policy, name="convolution")
        self.norm = tf.keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-5, gamma_initializer="zeros",
                                                       dtype=self.dtype_policy, name="norm")
        self.convolution.build([None, None, None, 2])
        self.norm.build([None, None, None, 1])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        largest = tf.reduce_max(inputs, axis=-1, keepdims=True)
        mean = tf.reduce_mean(tf.cast(inputs, tf.float32), axis=-1, keepdims=True)
        pooled = tf.concat([largest, tf.cast(mean, inputs.dtype)], axis=-1)
        gate = tf.sigmoid(self.norm(self.convolution(pooled), training=training))
        return gate * inputs, {"spatial": gate}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CBAM(Attention):
    """Weighs channels, then locations of what that gives.

        y = s_spatial(x') x',    x' = s_channel(x) x

    With gates near 0.5 each it starts near 0.25 x, not at identity.

    Args:
        reduction: r of `CBAMChannel`.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C >= reduction. The maps are "channel" [B, 1, 1, C] and "spatial"
        [B, H, W, 1].
    """

    def __init__(self, reduction: int = 16, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        self.reduction = reduction
        self.channel = CBAMChannel(reduction, return_maps=True, dtype=self.dtype_policy, name="channel")
        self.spatial = CBAMSpatial(return_maps=True, dtype=self.dtype_policy, name="spatial")

    def build(self, input_shape):
        self.channel.build(input_shape)
        self.spatial.build(input_shape)
        super().build(input_shape)

    def attend(self, inputs, training=None):
        attended, channel_maps = self.channel(inputs)
        attended, spatial_maps = self.spatial(attended, training=training)
        return attended, {**channel_maps, **spatial_maps}

    def get_config(self):
        return {**super().get_config(), "reduction": self.reduction}
