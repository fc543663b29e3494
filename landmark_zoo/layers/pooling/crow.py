"""Poolings with parameter-free weights: CroW, and the sum of class-weighted vectors.

Sources: Kalantidis, Mellina, Osindero: Cross-Dimensional Weighting for Aggregated Deep Convolutional Features, ECCV
Workshops 2016; Jimenez, Alvarez, Giro-i-Nieto: Class-Weighted Convolutional Features for Visual Instance Search, BMVC 2017,
section 3.
"""

import tensorflow as tf

from landmark_zoo.layers.attention.crow import crow_channel_weights, crow_spatial_weights
from landmark_zoo.layers.attention.ona import OnlineAggregation, class_activation_maps, top_classes
from landmark_zoo.layers.pooling.global_pooling import Pooling
from landmark_zoo.layers.pooling.regional import VectorSum


def crow(features: tf.Tensor) -> tf.Tensor:
    """Returns f_k = beta_k sum_ij alpha_ij x_ijk, with the weights of the attention block of that name.

    Args:
        features: [B, H, W, C], not negative and with true zeros, see `crow_channel_weights`.

    Returns:
        float32 [B, C].
    """
    features = tf.cast(features, tf.float32)
    weighted = tf.reduce_sum(crow_spatial_weights(features) * features, axis=(1, 2))
    return tf.squeeze(crow_channel_weights(features), axis=(1, 2)) * weighted


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class CroWPooling(Pooling):
    """The sum of locations weighed by how active they are, its channels weighed by how rarely they are.

    It equals the attention block `CroW` and SPoC behind it, in one step. The unweighted sum that the paper calls uCroW
    is SPoC.

    Args:
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C], after a ReLU; H and W may be unknown.

    Output shape:
        float32 [B, C].
    """

    def call(self, inputs):
        return crow(inputs)


def class_vectors(features: tf.Tensor, maps: tf.Tensor) -> tf.Tensor:
    """Returns f_tk = beta_k sum_ij m_ijt x_ijk: one vector for each class, with the channel weights beta of CroW.

    Args:
        features: [B, H, W, C].
        maps: [B, H, W, T], where each class is seen, 0..1.

    Returns:
        float32 [B, T, C].
    """
    sums = tf.einsum("bhwt,bhwc->btc", tf.cast(maps, tf.float32), tf.cast(features, tf.float32))
    return tf.squeeze(crow_channel_weights(features), axis=1) * sums


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class ClassWeighted(VectorSum):
    """The sum of one vector for each of the top classes, made from where the class is seen, whitened if wished.

    The class activation maps come from the same features and from a classifier that `set_classifier` takes over; before
    that it is random. The authors use a wider layer for the maps than for the features. Each image takes its own classes,
    the paper's offline aggregation; see `OnlineAggregation`.

    Args:
        num_classes: Number of classes of the classifier.
        top: T, how many classes (64 in the paper).
        whitening_dim: Length of the whitened vectors (512 in the paper), None for no whitening; `fit` learns it from class
            vectors.
        scaling: How the maps are brought to 0..1: "maximum" as in the authors' code, or "min_max", which a configuration
            without this entry means.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C], after a ReLU; H and W may be unknown.

    Output shape:
        float32 [B, C], with whitening [B, whitening_dim].
    """

    def __init__(self, num_classes: int = 1000, top: int = 64, whitening_dim: int | None = None,
                 scaling: str = "maximum", **kwargs):
        super().__init__(whitening_dim, **kwargs)
        self.classifier = OnlineAggregation(num_classes, top, scaling=scaling, dtype="float32", name="classifier")
        self.num_classes, self.top, self.scaling = num_classes, top, scaling

    def build(self, input_shape):
        super().build(input_shape)
        self.classifier.build(input_shape)

    def set_classifier(self, kernel, bias) -> None:
        """Takes over a dense layer; see `OnlineAggregation.set_classifier`."""
        self.classifier.set_classifier(kernel, bias)

    def vectors(self, features):
        kernel, bias = self.classifier.kernel, self.classifier.bias
        classes = top_classes(features, kernel, bias, self.top)
        return class_vectors(features, class_activation_maps(features, kernel, classes, self.scaling))

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "top": self.top, "scaling": self.scaling}

    @classmethod
    def from_config(cls, config):
        return cls(**{"scaling": "min_max", **config})
