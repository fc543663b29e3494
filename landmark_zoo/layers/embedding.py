"""Layers from pooled vector to embedding: L2 normalisation, projection and PCA whitening; the mean of several embeddings.

The fixed whitening of features before they are summed is that of HOW (Tolias, Jenicek, Chum: Learning and Aggregating Deep
Local Descriptors for Instance-Level Recognition, ECCV 2020).
"""

import numpy as np
import tensorflow as tf


def l2_normalize(vectors: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Returns float32 vectors of length 1; a zero vector stays zero.

    Example:
        >>> [round(float(value), 4) for value in l2_normalize([3.0, 4.0])]
        [0.6, 0.8]
    """
    return tf.math.l2_normalize(tf.cast(vectors, tf.float32), axis, epsilon=1e-24)


def power_mean(vectors: tf.Tensor, power: float) -> tf.Tensor:
    """Returns the generalised mean over the first axis, number by number, keeping signs.

    sign(m) |m|^(1/p) with m the mean of sign(x) |x|^p (Revaud et al., ICCV 2019, code). cirtorch takes x^p, which has no
    value for negative numbers and a fractional power; for the others both are the same.

    Args:
        vectors: float32 [S, ...].
        power: p above 0; 1 is the mean.
    """
    if power == 1:
        return tf.reduce_mean(vectors, axis=0)
    mean = tf.reduce_mean(tf.sign(vectors) * tf.abs(vectors) ** power, axis=0)
    return tf.sign(mean) * tf.abs(mean) ** (1 / power)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class L2Normalize(tf.keras.layers.Layer):
    """Scales the last axis to length 1, in float32 whatever the precision policy.

    Input shape, output shape:
        [..., D].
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        return l2_normalize(inputs)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape(input_shape)


tf.keras.utils.get_custom_objects()["landmark_zoo>L2Normalise"] = L2Normalize  # its name in files of earlier versions


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class EmbeddingLayer(tf.keras.layers.Layer):
    """e = v / |v| with v = W x / |x| + b: the whitening layer of end-to-end retrieval networks.

    The input is normalised first, as before every PCA whitening of the field, so that `set_projection` puts such a
    whitening here without a change of meaning. Computed in float32 whatever the precision policy.

    Args:
        dimension: D, the length of the embedding.
        **kwargs: Keras' own.

    Input shape:
        [B, C].

    Output shape:
        float32 [B, D], each row of length 1.

    Example:
        >>> EmbeddingLayer(16)(tf.ones([2, 64])).shape
        TensorShape([2, 16])
    """

    torch_parts = ("weight", (1, 0)), ("bias", (0,))

    def __init__(self, dimension: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if dimension < 1:
            raise ValueError(f"EmbeddingLayer: expected dimension >= 1; received {dimension}.")
        self.dimension = dimension

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", [int(input_shape[-1]), self.dimension], initializer="glorot_uniform")
        self.bias = self.add_weight("bias", [self.dimension], initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        return l2_normalize(l2_normalize(inputs) @ self.kernel + self.bias)

    def set_projection(self, mean: np.ndarray, components: np.ndarray) -> None:
        """Starts the layer as v = (x - mean) components.

        Args:
            mean: [C].
            components: [C, D].
        """
        self.kernel.assign(components)
        self.bias.assign(-mean @ components)

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], self.dimension])

    def get_config(self):
        return {**super().get_config(), "dimension": self.dimension}


def pca_whitening(vectors: np.ndarray, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and projection such that (x - mean) projection has covariance I on the vectors given.

    Args:
        vectors: [N, C].
        dimension: D, how many leading principal directions are kept.

    Returns:
        float64 [C] and [C, D].

    Raises:
        ValueError: The vectors span fewer than D directions: the others would be noise, hugely enlarged.
    """
    vectors = np.asarray(vectors, np.float64)
    mean = vectors.mean(axis=0)
    values, directions = np.linalg.eigh(np.cov(vectors, rowvar=False, bias=True))
    values, directions = values[::-1], directions[:, ::-1]
    rank = int(np.sum(values > 1e-10 * values[0]))
    if rank < dimension:
        raise ValueError(f"pca_whitening: expected vectors that span at least {dimension} directions; received "
                         f"{vectors.shape[0]} vectors of length {vectors.shape[1]} that span {rank}.")
    return mean, directions[:, :dimension] / np.sqrt(values[:dimension])


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class WhiteningReduction(tf.keras.layers.Layer):
    """Projects features on their leading principal directions, scaled to equal variance, and never learns.

    The result is not normalised: HOW weighs and sums it first. In float32 whatever the precision policy. Until `fit`,
    the projection is a random one with orthogonal directions.

    Args:
        dimension: D, channels that remain.
        **kwargs: Keras' own.

    Input shape:
        [..., C], e.g. a feature map [B, H, W, C].

    Output shape:
        float32 [..., D].

    Example:
        >>> layer = WhiteningReduction(2)
        >>> layer.fit(np.random.default_rng(0).normal(size=[100, 8]))
        >>> layer(tf.ones([1, 7, 5, 8])).shape
        TensorShape([1, 7, 5, 2])
    """

    def __init__(self, dimension: int = 128, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if dimension < 1:
            raise ValueError(f"WhiteningReduction: expected dimension >= 1; received {dimension}.")
        self.dimension = dimension

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", [int(input_shape[-1]), self.dimension], initializer="orthogonal",
                                      trainable=False)
        self.bias = self.add_weight("bias", [self.dimension], initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        return tf.tensordot(inputs, self.kernel, 1) + self.bias

    def fit(self, vectors: np.ndarray) -> None:
        """Learns the projection from features [N, C], e.g. smoothed locations of 5,000 images as HOW does.

        Raises:
            ValueError: See `pca_whitening`.
        """
        mean, projection = pca_whitening(vectors, self.dimension)
        if not self.built:
            self.build([None, len(mean)])
        self.set_weights([projection, -mean @ projection])

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([*input_shape[:-1], self.dimension])

    def get_config(self):
        return {**super().get_config(), "dimension": self.dimension}
