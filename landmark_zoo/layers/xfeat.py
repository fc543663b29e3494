"""Layers of XFeat (Potje, Cadar, Araujo, Martins, Nascimento: XFeat: Accelerated Features for Lightweight Image Matching,
CVPR 2024) that are no convolutions: its gray image, pixels as channels, and the heat of points."""

import tensorflow as tf

STRIDE, MULTIPLE, EPSILON = 8, 32, 1e-5


def normalized_gray(images: tf.Tensor) -> tf.Tensor:
    """Returns the gray image that the network sees: sides lowered to multiples of 32, mean 0 and variance 1 in each image.

    Args:
        images: [B, H, W, 3], 0..255.

    Returns:
        float32 [B, floor(H / 32) 32, floor(W / 32) 32, 1].
    """
    size = tf.shape(images)[1:3] // MULTIPLE * MULTIPLE
    resized = tf.image.resize(tf.cast(images, tf.float32) / 255, size)  # bilinear without antialias, as torch's interpolate
    gray = tf.reduce_mean(resized, axis=-1, keepdims=True)
    mean, variance = tf.nn.moments(gray, axes=[1, 2], keepdims=True)
    return (gray - mean) / tf.sqrt(variance + EPSILON)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class NormalizedGray(tf.keras.layers.Layer):
    """First layer of XFeat; see `normalized_gray`.

    Input shape:
        [B, H, W, 3], 0..255, both sides 32 or more.

    Output shape:
        float32 [B, floor(H / 32) 32, floor(W / 32) 32, 1].
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        return normalized_gray(inputs)

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return tf.TensorShape([batch, *(side and side // MULTIPLE * MULTIPLE for side in (height, width)), 1])


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SpaceToDepth(tf.keras.layers.Layer):
    """Lays each block of pixels out as channels, row by row.

    Args:
        block: Height and width of a block.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C], sides that are multiples of `block`.

    Output shape:
        [B, H / block, W / block, block^2 C].
    """

    def __init__(self, block: int, **kwargs):
        super().__init__(**kwargs)
        if block < 2:
            raise ValueError(f"SpaceToDepth: expected block >= 2; received {block}.")
        self.block = block

    def call(self, inputs):
        return tf.nn.space_to_depth(inputs, self.block)

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return tf.TensorShape([batch, *(side and side // self.block for side in sides), self.block ** 2 * channels])

    def get_config(self):
        return {**super().get_config(), "block": self.block}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class KeypointHeat(tf.keras.layers.Layer):
    """Probability of each pixel to be its cell's point; the cell's last class, no point, is left out.

    Input shape:
        Logits [B, h, w, 65].

    Output shape:
        float32 [B, 8 h, 8 w, 1].
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        return tf.nn.depth_to_space(tf.nn.softmax(inputs)[..., :STRIDE ** 2], STRIDE)

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return tf.TensorShape([batch, *(side and STRIDE * side for side in (height, width)), 1])
