"""Regional maximum activations (Tolias, Sicre, Jegou: Particular Object Retrieval with Integral Max-Pooling of CNN
Activations, ICLR 2016; the grid as in the authors' code)."""

import tensorflow as tf

from landmark_zoo.layers.pooling.vector_sum import VectorSum

Size = tf.Tensor | int


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
        whitening_dim: See `VectorSum`; `fit` learns it from regions.
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
