"""Poolings that sum several vectors of one map."""

import abc
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.l2_normalise import l2_normalise
from landmark_zoo.layers.pooling.base import Pooling
from landmark_zoo.layers.whitening_reduction import WhiteningReduction


class VectorSum(Pooling, abc.ABC):
    """Takes vectors v_r out of a map and sums them at length 1.

        y = sum_r v_r / |v_r|    or, with whitening,    y = sum_r u_r / |u_r|,  u_r = W v_r / |v_r| + b

    A method is a subclass with one function, `vectors`.

    Args:
        whitening_dim: D, the length of the whitened vectors; None for no whitening. Until `fit` the whitening is a
            random projection with orthogonal directions. It never learns by gradient.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, C], with whitening [B, D].
    """

    def __init__(self, whitening_dim: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.whitening_dim = whitening_dim
        self.whitening = None if whitening_dim is None else WhiteningReduction(whitening_dim, name="whitening")

    @abc.abstractmethod
    def vectors(self, features: tf.Tensor) -> tf.Tensor:
        """Returns the vectors [B, R, C] of features [B, H, W, C], of any length."""

    def build(self, input_shape):
        super().build(input_shape)
        if self.whitening is not None:
            self.whitening.build([None, None, input_shape[-1]])

    def call(self, inputs):
        units = l2_normalise(self.vectors(inputs))
        if self.whitening is not None:
            units = l2_normalise(self.whitening(units))
        return tf.reduce_sum(units, axis=1)

    def fit(self, feature_maps: Iterable[np.ndarray]) -> None:
        """Learns the whitening, as the papers do on another data set than the one searched.

        Args:
            feature_maps: float32 [B, H, W, C], of any sizes. Vectors of length 0 are left out.

        Raises:
            ValueError: No whitening was asked for, or see `pca_whitening`.
        """
        if self.whitening is None:
            raise ValueError(f"{type(self).__name__}: expected whitening_dim to fit a whitening; received None.")
        units = []
        for features in feature_maps:
            if not self.built:
                self.build(np.shape(features))
            batch = l2_normalise(self.vectors(tf.cast(features, tf.float32)))
            units.append(np.reshape(batch, (-1, batch.shape[-1])))
        units = np.concatenate(units)
        self.whitening.fit(units[np.any(units != 0, axis=1)])

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], self.whitening_dim or input_shape[-1]])

    def get_config(self):
        return {**super().get_config(), "whitening_dim": self.whitening_dim}
