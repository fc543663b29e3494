"""The local half of GLAM (Song, Han, Avrithis: All the Attention You Need, WACV 2022, section 3, equations 1 and 2)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of

DILATIONS = (1, 2, 3)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GLAMLocalChannel(Attention):
    """GLAM's local channel attention alone.

        A_c = sigmoid(conv1d(mean_hw(F))),    F_c = F A_c + F                                             (equation 1)

    The convolution runs along the channels and has no bias, as in ECA.

    Args:
        kernel_size: k, odd: how many neighbouring channels a gate sees.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "local_channel" is [B, 1, 1, C].
    """

    def __init__(self, kernel_size: int = 3, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"{type(self).__name__}: expected an odd kernel_size; received {kernel_size}.")
        self.kernel_size = kernel_size

    def build(self, input_shape):
        channels = channels_of(input_shape, type(self).__name__)
        self.along_channels = tf.keras.layers.Conv1D(1, self.kernel_size, padding="same", activation="sigmoid",
                                                     use_bias=False, dtype=self.dtype_policy, name="along_channels")
        self.along_channels.build([None, channels, 1])
        super().build(input_shape)

    def gate(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns A_c, [B, 1, 1, C]."""
        means = tf.cast(tf.reduce_mean(tf.cast(inputs, tf.float32), axis=(1, 2)), inputs.dtype)
        return self.along_channels(means[..., None])[:, None, None, :, 0]

    def attend(self, inputs, training=None):
        gate = self.gate(inputs)
        return inputs * gate + inputs, {"local_channel": gate}

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GLAMLocalSpatial(Attention):
    """GLAM's local spatial attention alone.

        F' = conv1x1(F),    A_s = conv1x1([conv1x1(F'), conv3x3(F') with dilations 1, 2, 3]),    F_s = F A_s + F

    The last is equation 2 with F in the place of F_c. The paper names no activation: A_s is linear in F and unbounded.
    Its text says dilations 1, 2, 3, a figure 1, 3, 5: only the text's give the stated fields of 3, 5 and 7 pixels. That
    the fourth branch is a convolution of F', and not F' itself, is our reading.

    Args:
        width: c', channels of F'; C where that is less. The paper does not tell it.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "local_spatial" is [B, H, W, 1].
    """

    def __init__(self, width: int = 512, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if width < 1:
            raise ValueError(f"GLAMLocalSpatial: expected width >= 1; received {width}.")
        self.width = width

    def build(self, input_shape):
        channels = channels_of(input_shape, "GLAMLocalSpatial")
        width = min(self.width, channels)
        self.reduce = tf.keras.layers.Conv2D(width, 1, dtype=self.dtype_policy, name="reduce")
        self.reduce.build([None, None, None, channels])
        self.branches = [tf.keras.layers.Conv2D(width, 1, dtype=self.dtype_policy, name="pointwise")]
        self.branches += [tf.keras.layers.Conv2D(width, 3, padding="same", dilation_rate=dilation,
                                                 dtype=self.dtype_policy, name=f"dilation_{dilation}")
                          for dilation in DILATIONS]
        for branch in self.branches:
            branch.build([None, None, None, width])
        self.join = tf.keras.layers.Conv2D(1, 1, dtype=self.dtype_policy, name="join")
        self.join.build([None, None, None, 4 * width])
        super().build(input_shape)

    def gate(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns A_s, [B, H, W, 1]."""
        reduced = self.reduce(inputs)
        return self.join(tf.concat([branch(reduced) for branch in self.branches], axis=-1))

    def attend(self, inputs, training=None):
        gate = self.gate(inputs)
        return inputs * gate + inputs, {"local_spatial": gate}

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GLAMLocal(Attention):
    """GLAM's local stream: channels, then locations; both maps are computed from F itself.

        F_c = F A_c + F,    F_l = F_c A_s + F_c                                                    (equations 1 and 2)

    Args:
        width: c', see `GLAMLocalSpatial`.
        kernel_size: Size of the convolution along the channels, odd.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The maps are "local_channel", [B, 1, 1, C], and "local_spatial",
        [B, H, W, 1].
    """

    def __init__(self, width: int = 512, kernel_size: int = 3, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        self.width, self.kernel_size = width, kernel_size
        self.channel = GLAMLocalChannel(kernel_size, dtype=self.dtype_policy, name="channel")
        self.spatial = GLAMLocalSpatial(width, dtype=self.dtype_policy, name="spatial")

    def build(self, input_shape):
        self.channel.build(input_shape)
        self.spatial.build(input_shape)
        super().build(input_shape)

    def attend(self, inputs, training=None):
        channel, spatial = self.channel.gate(inputs), self.spatial.gate(inputs)
        attended = inputs * channel + inputs
        return attended * spatial + attended, {"local_channel": channel, "local_spatial": spatial}

    def get_config(self):
        return {**super().get_config(), "width": self.width, "kernel_size": self.kernel_size}
