"""The fixed whitening of local features (Tolias, Jenicek, Chum: Learning and Aggregating Deep Local Descriptors for
Instance-Level Recognition, ECCV 2020)."""

import numpy as np
import tensorflow as tf


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
        """Learns the projection from features [N, C], e.g. smoothed locations of 5,000 pictures as HOW does.

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
