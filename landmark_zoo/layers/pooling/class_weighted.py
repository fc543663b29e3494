"""Class-weighted features (Jimenez, Alvarez, Giro-i-Nieto: Class-Weighted Convolutional Features for Visual Instance
Search, BMVC 2017, section 3)."""

import tensorflow as tf

from landmark_zoo.layers.attention.crow import crow_channel_weights
from landmark_zoo.layers.attention.ona import OnlineAggregation, class_activation_maps, top_classes
from landmark_zoo.layers.pooling.vector_sum import VectorSum


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
    that it is random. The authors use a wider layer for the maps than for the features. They take the classes of the
    query for all index images at search time; here each picture takes its own, so that its embedding can be stored.

    Args:
        num_classes: Of the classifier.
        top: T, how many classes (64 in the paper).
        whitening_dim: See `VectorSum` (512 in the paper); `fit` learns it from class vectors.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C], after a ReLU; H and W may be unknown.

    Output shape:
        float32 [B, C], with whitening [B, whitening_dim].
    """

    def __init__(self, num_classes: int = 1000, top: int = 64, whitening_dim: int | None = None, **kwargs):
        super().__init__(whitening_dim, **kwargs)
        self.classifier = OnlineAggregation(num_classes, top, dtype="float32", name="classifier")
        self.num_classes, self.top = num_classes, top

    def build(self, input_shape):
        super().build(input_shape)
        self.classifier.build(input_shape)

    def set_classifier(self, kernel, bias) -> None:
        """Takes over a dense layer; see `OnlineAggregation.set_classifier`."""
        self.classifier.set_classifier(kernel, bias)

    def vectors(self, features):
        kernel, bias = self.classifier.kernel, self.classifier.bias
        classes = top_classes(features, kernel, bias, self.top)
        return class_vectors(features, class_activation_maps(features, kernel, classes))

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "top": self.top}
