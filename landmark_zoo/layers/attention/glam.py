"""GLAM: the global stream and the whole block (Song, Han, Avrithis: All the Attention You Need: Global-Local,
Spatial-Channel Attention for Image Retrieval, WACV 2022, section 3, equations 1 to 7).

The paper does not say over which index its softmax runs. Here it is the key's: every output is a weighted mean of values.
"""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of
from landmark_zoo.layers.attention.chunked_attention import chunked_attention, flatten_locations
from landmark_zoo.layers.attention.glam_local import GLAMLocal


def mix_channels(query: tf.Tensor, key: tf.Tensor, features: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Replaces each channel by a weighted mean of all channels.

        G[h, w, i] = sum_j a_ij F[h, w, j],    a_ij = exp(q_i k_j) / sum_m exp(q_i k_m)

    The C x C weights are computed in float32.

    Args:
        query: q, [B, C].
        key: k, [B, C].
        features: [B, H, W, C].

    Returns:
        G, [B, H, W, C] in the dtype of the features, and what weight each channel gets in all, float32 [B, 1, 1, C].
    """
    query, key = tf.cast(query, tf.float32), tf.cast(key, tf.float32)
    weights = tf.nn.softmax(query[:, :, None] * key[:, None, :])
    flat = flatten_locations(features)
    mixed = tf.matmul(flat, tf.cast(weights, flat.dtype), transpose_b=True)
    share = tf.reduce_sum(weights, axis=1)[:, None, None, :]
    return tf.reshape(mixed, tf.shape(features)), share


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GLAMGlobalChannel(Attention):
    """GLAM's global channel attention alone.

        q, k = sigmoid(conv1d(mean_hw(F))) each,    G_c = F softmax(k^T q),    F_c = F G_c          (equations 3 to 5)

    Equation 5 has no residual: the result is quadratic in F. As q and k lie between 0 and 1 the weights stay within a
    factor e of uniform, and with many channels G_c is close to the mean of all channels at each location.

    Args:
        kernel_size: Size of the two convolutions along the channels, odd; they have no bias.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "global_channel", [B, 1, 1, C], says how much each channel is
        attended to: 1 where all are equally so.
    """

    def __init__(self, kernel_size: int = 3, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"GLAMGlobalChannel: expected an odd kernel_size; received {kernel_size}.")
        self.kernel_size = kernel_size

    def build(self, input_shape):
        channels = channels_of(input_shape, "GLAMGlobalChannel")
        self.query, self.key = (tf.keras.layers.Conv1D(1, self.kernel_size, padding="same", activation="sigmoid",
                                                       use_bias=False, dtype=self.dtype_policy, name=name)
                                for name in ("query", "key"))
        self.query.build([None, channels, 1])
        self.key.build([None, channels, 1])
        super().build(input_shape)

    def mixed(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns G_c, [B, H, W, C], and the map."""
        means = tf.cast(tf.reduce_mean(tf.cast(inputs, tf.float32), axis=(1, 2)), inputs.dtype)[..., None]
        return mix_channels(self.query(means)[..., 0], self.key(means)[..., 0], inputs)

    def attend(self, inputs, training=None):
        mixed, share = self.mixed(inputs)
        return inputs * mixed, {"global_channel": share}

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GLAMGlobalSpatial(Attention):
    """GLAM's global spatial attention alone: pairwise attention without scale, by which the features are multiplied.

        q, k, v = conv1x1(F) each,    G_s = conv1x1(softmax(q k^T) v),    F_s = F G_s + F

    The last is equation 6 with F in the place of F_c. G_s is not bounded: the result is quadratic in F. Without a scale
    the logits of large features reach the thousands, where half precision would tell other keys apart than float32:
    q and k are computed in the dtype of the weights.

    Args:
        width: c', channels of q, k and v; C where that is less. The paper does not tell it.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "global_spatial", [B, H, W, 1], says how much each location is
        attended to: 1 where all are equally so.
    """

    def __init__(self, width: int = 512, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if width < 1:
            raise ValueError(f"GLAMGlobalSpatial: expected width >= 1; received {width}.")
        self.width = width

    def build(self, input_shape):
        channels = channels_of(input_shape, "GLAMGlobalSpatial")
        width = min(self.width, channels)
        self.query, self.key = (tf.keras.layers.Conv2D(width, 1, dtype=self.variable_dtype, name=name)
                                for name in ("query", "key"))
        self.value = tf.keras.layers.Conv2D(width, 1, dtype=self.dtype_policy, name="value")
        self.expand = tf.keras.layers.Conv2D(channels, 1, dtype=self.dtype_policy, name="expand")
        for layer in (self.query, self.key, self.value):
            layer.build([None, None, None, channels])
        self.expand.build([None, None, None, width])
        super().build(input_shape)

    def mixed(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns G_s, [B, H, W, C], and the map."""
        value = self.value(inputs)
        attended, received = chunked_attention(*map(flatten_locations, (self.query(inputs), self.key(inputs), value)))
        size = tf.shape(inputs)
        share = tf.reshape(received, [size[0], size[1], size[2], 1]) * tf.cast(size[1] * size[2], received.dtype)
        return self.expand(tf.reshape(attended, tf.shape(value))), share

    def attend(self, inputs, training=None):
        mixed, share = self.mixed(inputs)
        return inputs * mixed + inputs, {"global_spatial": share}

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GLAMGlobal(Attention):
    """GLAM's global stream: channels, then locations; both maps are computed from F itself.

        F_c = F G_c,    F_g = F_c G_s + F_c                                                         (equations 5 and 6)

    Beware of the scale: F_g is cubic in F and nothing bounds it. On features that are not normalised (ResNet's reach 10
    and more) the first steps of training may blow up; start with a small learning rate or clip the gradient.

    Args:
        width: c', see `GLAMGlobalSpatial`.
        kernel_size: Size of the convolutions along the channels, odd.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The maps are "global_channel", [B, 1, 1, C], and "global_spatial",
        [B, H, W, 1].
    """

    def __init__(self, width: int = 512, kernel_size: int = 3, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        self.width, self.kernel_size = width, kernel_size
        self.channel = GLAMGlobalChannel(kernel_size, dtype=self.dtype_policy, name="channel")
        self.spatial = GLAMGlobalSpatial(width, dtype=self.dtype_policy, name="spatial")

    def build(self, input_shape):
        self.channel.build(input_shape)
        self.spatial.build(input_shape)
        super().build(input_shape)

    def attend(self, inputs, training=None):
        channel, channel_share = self.channel.mixed(inputs)
        spatial, spatial_share = self.spatial.mixed(inputs)
        attended = inputs * channel
        return attended * spatial + attended, {"global_channel": channel_share, "global_spatial": spatial_share}

    def get_config(self):
        return {**super().get_config(), "width": self.width, "kernel_size": self.kernel_size}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GLAM(Attention):
    """A learnt mean of the local stream, the global stream and what came in.

        F_gl = w_l F_l + w_g F_g + w F,    (w_l, w_g, w) = softmax of three learnt scalars                (equation 7)

    The scalars start at 0, of which the paper says nothing: each part weighs 1/3, and the block does not start as
    identity. In print equation 7 has F_l twice, a misprint. Beware of the scale: F_g is cubic in F (see `GLAMGlobal`).

    Args:
        width: c', the reduced channels of both spatial parts; C where that is less. The paper does not tell it.
        kernel_size: Size of the convolutions along the channels, odd.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The maps are "local_channel" and "global_channel", [B, 1, 1, C], and
        "local_spatial" and "global_spatial", [B, H, W, 1].
    """

    def __init__(self, width: int = 512, kernel_size: int = 3, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        self.width, self.kernel_size = width, kernel_size
        self.local = GLAMLocal(width, kernel_size, return_maps=True, dtype=self.dtype_policy, name="local")
        self.global_ = GLAMGlobal(width, kernel_size, return_maps=True, dtype=self.dtype_policy, name="global")

    def build(self, input_shape):
        self.local.build(input_shape)
        self.global_.build(input_shape)
        self.fusion = self.add_weight("fusion", [3], initializer="zeros")
        super().build(input_shape)

    def attend(self, inputs, training=None):
        (local, local_maps), (global_, global_maps) = self.local(inputs), self.global_(inputs)
        weights = tf.unstack(tf.cast(tf.nn.softmax(tf.cast(self.fusion, tf.float32)), inputs.dtype))
        return weights[0] * local + weights[1] * global_ + weights[2] * inputs, {**local_maps, **global_maps}

    def get_config(self):
        return {**super().get_config(), "width": self.width, "kernel_size": self.kernel_size}
