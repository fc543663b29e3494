"""Poolings that sum several normalised vectors of a map: their base class, and R-MAC.

Source: Tolias, Sicre, Jegou: Particular Object Retrieval with Integral Max-Pooling of CNN Activations, ICLR 2016; the grid
as in the authors' code.
"""

import abc
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from landmark_zoo.layers.embedding import WhiteningReduction, l2_normalize
from landmark_zoo.layers.pooling.global_pooling import Pooling

Size = tf.Tensor | int


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

    Example:
        >>> RMAC(levels=2)(tf.ones([1, 8, 6, 4])).shape
        TensorShape([1, 4])
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
        units = l2_normalize(self.vectors(inputs))
        if self.whitening is not None:
            units = l2_normalize(self.whitening(units))
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
            batch = l2_normalize(self.vectors(tf.cast(features, tf.float32)))
            units.append(np.reshape(batch, (-1, batch.shape[-1])))
        units = np.concatenate(units)
        self.whitening.fit(units[np.any(units != 0, axis=1)])

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], self.whitening_dim or input_shape[-1]])

    def get_config(self):
        return {**super().get_config(), "whitening_dim": self.whitening_dim}


def extra_windows(height: Size, width: Size) -> tf.Tensor:
    """Returns how many more windows the long side has than the short one: 0 on a square, otherwise 1 to 6.

    It is the number with which squares of the short side w, spread over the long side L, overlap by nearest to 40 %:
    the g of least |1 - (L - w) / (g w) - 0.4|, in whole numbers |3 g w - 5 (L - w)| / g. Of two as near, the smaller.

    The authors' code has float32 here and in the places of the regions. Of the 16,384 sizes up to 128 x 128 it rounds
    92 otherwise, all of them more than 2.4 times as long as wide.

    Args:
        height: H.
        width: W.

    Returns:
        int32 [].
    """
    short, long = tf.minimum(height, width), tf.maximum(height, width)
    gaps = tf.range(1, 7)
    miss = tf.abs(3 * gaps * short - 5 * (long - short)) * (60 // gaps)
    return tf.where(long > short, tf.argmin(miss, output_type=tf.int32) + 1, 0)


def region_grid(height: Size, width: Size, level: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the square regions of one level, equally spread over the map.

    Level l has l windows on the short side of the map and `extra_windows` more on the long one, of side
    floor(2 min(H, W) / (l + 1)). Where that is 0 (maps of one row, level 2 and above) it has none.

    Args:
        height: H.
        width: W.
        level: l, from 1.

    Returns:
        Side int32 [], first rows int32 [n] and first columns int32 [m]; the regions are all n x m pairs.
    """
    side = 2 * tf.minimum(height, width) // (level + 1)
    extra = extra_windows(height, width)

    def starts(length, other):
        number = tf.where(side > 0, level + tf.where(length > other, extra, 0), 0)
        return tf.range(number) * (length - side) // tf.maximum(number - 1, 1)

    return side, starts(height, width), starts(width, height)


def region_maxima(features: tf.Tensor, levels: int) -> tf.Tensor:
    """Returns the maximum over each region of the grids of levels 1 to `levels`.

    Args:
        features: [B, H, W, C].
        levels: L.

    Returns:
        [B, R, C], where R depends on H and W.
    """
    shape = tf.shape(features)
    maxima = []
    for level in range(1, levels + 1):
        side, tops, lefts = region_grid(shape[1], shape[2], level)
        along = tf.range(side)
        rows = tf.reduce_max(tf.gather(features, tops[:, tf.newaxis] + along, axis=1), axis=2)
        regions = tf.reduce_max(tf.gather(rows, lefts[:, tf.newaxis] + along, axis=2), axis=3)
        maxima.append(tf.reshape(regions, [shape[0], tf.size(tops) * tf.size(lefts), features.shape[-1]]))
    return tf.concat(maxima, axis=1)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class RMAC(VectorSum):
    """The sum of the maxima over a grid of overlapping square regions, each at length 1, whitened if wished.

    Args:
        levels: L, scales of regions (3 in the paper: 14 regions on a square map, 20 on 24 x 32).
        whole_map: Whether the maximum over the whole map is one more term, as in the authors' later code. On a square
            map that counts it twice, because it is the region of level 1 as well.
        whitening_dim: Length of the whitened vectors, None for no whitening; `fit` learns it from regions.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, C], with whitening [B, whitening_dim].
    """

    def __init__(self, levels: int = 3, whole_map: bool = False, whitening_dim: int | None = None, **kwargs):
        super().__init__(whitening_dim, **kwargs)
        if levels < 1:
            raise ValueError(f"RMAC: expected levels >= 1; received {levels}.")
        self.levels, self.whole_map = levels, whole_map

    def vectors(self, features):
        maxima = region_maxima(features, self.levels)
        if self.whole_map:
            maxima = tf.concat([tf.reduce_max(features, axis=(1, 2))[:, tf.newaxis], maxima], axis=1)
        return maxima

    def get_config(self):
        return {**super().get_config(), "levels": self.levels, "whole_map": self.whole_map}
