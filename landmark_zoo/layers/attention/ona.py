"""Aggregation of class-weighted features (Jimenez, Alvarez, Giro-i-Nieto: Class-Weighted Convolutional Features
for Visual Instance Search, BMVC 2017)."""

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


def top_classes(features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, number: int) -> tf.Tensor:
    """Returns the classes that a dense layer on the mean of the features ranks first, best first.

    Args:
        features: [B, H, W, C].
        kernel: [C, num_classes].
        bias: [num_classes].
        number: T, how many.

    Returns:
        int32 [B, T].
    """
    mean = tf.reduce_mean(tf.cast(features, tf.float32), axis=(1, 2))
    logits = mean @ tf.cast(kernel, tf.float32) + tf.cast(bias, tf.float32)
    return tf.math.top_k(logits, number).indices


def class_activation_maps(features: tf.Tensor, kernel: tf.Tensor, classes: tf.Tensor,
                          scaling: str = "maximum") -> tf.Tensor:
    """Returns the class activation maps: sum_k x_k w_kc of each location, brought to 0..1 over the image.

    By "maximum", as in the authors' code, a map is divided by its largest value and cut below 0; one that is positive
    nowhere becomes 0, where their division would turn its sign. By "min_max", which has no source, the least value becomes
    0 and the largest 1; a map that is the same everywhere, up to rounding, says nothing about locations and becomes 1.

    Args:
        features: [B, H, W, C].
        kernel: [C, num_classes].
        classes: int [B, T].
        scaling: "maximum" or "min_max".

    Returns:
        float32 [B, H, W, T].
    """
    weights = tf.cast(tf.gather(kernel, classes, axis=1), features.dtype)
    maps = tf.cast(tf.einsum("bhwc,cbt->bhwt", features, weights), tf.float32)
    if scaling == "maximum":
        positive = tf.nn.relu(maps)
        return tf.math.divide_no_nan(positive, tf.reduce_max(positive, axis=(1, 2), keepdims=True))
    least = tf.reduce_min(maps, axis=(1, 2), keepdims=True)
    span = tf.reduce_max(maps, axis=(1, 2), keepdims=True) - least
    varies = span > 1e-6 * tf.reduce_max(tf.abs(maps), axis=(1, 2), keepdims=True)
    return tf.where(varies, tf.math.divide_no_nan(maps - least, span), 1.0)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class OnlineAggregation(Attention):
    """Weighs locations by where the classes that the image is predicted to show are seen; nothing is learnt.

        m_ij = mean over the top classes c of CAM_c(i, j),    y = m x

    The paper makes one vector for each class from its class activation map (CAM), whitens and normalises them, and
    sums; a layer that keeps the shape of the map can only average the maps. Each image takes its own classes, so that its
    embedding can be stored: the paper's offline aggregation (OfA). Its online aggregation (OnA), after which this block is
    called in the table of Song et al., takes the classes of the query for all index images at search time.

    The classifier is the dense layer behind the mean of these features, usually that of ImageNet, and stays as set by
    `set_classifier`. Before that it is random and so are the maps.

    Args:
        num_classes: Number of classes of the classifier.
        top: T, how many classes are averaged (64 in the paper).
        scaling: How the maps are brought to 0..1, see `class_activation_maps`: "maximum" as in the authors' code, or
            "min_max", which a configuration without this entry means.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "ona" is [B, H, W, 1], 0..1.
    """

    def __init__(self, num_classes: int = 1000, top: int = 64, return_maps: bool = False,
                 scaling: str = "maximum", **kwargs):
        super().__init__(return_maps, **kwargs)
        if scaling not in ("maximum", "min_max"):
            raise ValueError(f"OnlineAggregation: expected scaling 'maximum' or 'min_max'; received {scaling!r}.")
        if not 1 <= top <= num_classes:
            raise ValueError(f"OnlineAggregation: expected 1 <= top <= num_classes; "
                             f"received top={top}, num_classes={num_classes}.")
        self.num_classes, self.top, self.scaling = num_classes, top, scaling

    def build(self, input_shape):
        channels = channels_of(input_shape, "OnlineAggregation")
        self.kernel = self.add_weight("kernel", [channels, self.num_classes], initializer="glorot_uniform",
                                      trainable=False)
        self.bias = self.add_weight("bias", [self.num_classes], initializer="zeros", trainable=False)
        super().build(input_shape)

    def set_classifier(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        """Takes over a dense layer, e.g. `resnet.get_layer("predictions").get_weights()`; the layer must be built.

        Args:
            kernel: [C, num_classes].
            bias: [num_classes].

        Raises:
            ValueError: Shapes other than these.
        """
        if np.shape(kernel) != tuple(self.kernel.shape) or np.shape(bias) != tuple(self.bias.shape):
            raise ValueError(f"OnlineAggregation: expected a kernel of shape {tuple(self.kernel.shape)} and a bias of "
                             f"shape {tuple(self.bias.shape)}; received {np.shape(kernel)} and {np.shape(bias)}.")
        self.set_weights([kernel, bias])

    def attend(self, inputs, training=None):
        classes = top_classes(inputs, self.kernel, self.bias, self.top)
        maps = class_activation_maps(inputs, self.kernel, classes, self.scaling)
        attention = tf.cast(tf.reduce_mean(maps, axis=-1, keepdims=True), inputs.dtype)
        return attention * inputs, {"ona": attention}

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "top": self.top, "scaling": self.scaling}

    @classmethod
    def from_config(cls, config):
        return cls(**{"scaling": "min_max", **config})
