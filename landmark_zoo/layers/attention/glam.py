"""GLAM: local and global attention to channels and locations (Song, Han, Avrithis: All the Attention You Need:
Global-Local, Spatial-Channel Attention for Image Retrieval, WACV 2022, section 3, equations 1 to 7)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention
from landmark_zoo.layers.attention.glam_global import GLAMGlobal
from landmark_zoo.layers.attention.glam_local import GLAMLocal


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GLAM(Attention):
    """A learnt mean of the local stream, the global stream and what came in.

        F_gl = w_l F_l + w_g F_g + w F,    (w_l, w_g, w) = softmax of three learnt scalars                (equation 7)

    The scalars start at 0, of which the paper says nothing: each part weighs 1/3, and the block does not start as
    identity. In print equation 7 has F_l twice, a misprint. Beware of the scale: F_g is cubic in F (see `GLAMGlobal`).

    Args:
        width: c', the reduced channels of both spatial parts; C where that is less. The paper does not tell it.
        kernel_size: Of the convolutions along the channels, odd.
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
