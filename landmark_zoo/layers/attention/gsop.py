"""Global second-order pooling (Gao, Xie, Wang, Li: Global Second-order Pooling Convolutional Networks, CVPR 2019,
section 3)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of
from landmark_zoo.layers.attention.chunked_attention import flatten_locations, size

GRID = 8
"""Rows and columns of the positions that position attention compares."""


def covariance(samples: tf.Tensor) -> tf.Tensor:
    """Returns the covariance matrices, divided by the number of samples, of [B, N, D]: float32 [B, D, D]."""
    samples = tf.cast(samples, tf.float32)
    samples -= tf.reduce_mean(samples, axis=1, keepdims=True)
    return tf.matmul(samples, samples, transpose_a=True) / tf.cast(size(samples, 1), tf.float32)


def adaptive_average(length: int | tf.Tensor, bins: int | tf.Tensor) -> tf.Tensor:
    """Returns the matrix, float32 [bins, length], that averages an axis into bins.

    Bin i is the mean of the entries from floor(i length / bins) to before ceil((i + 1) length / bins): torch's adaptive
    pooling, which repeats entries where there are more bins than entries.
    """
    starts = tf.range(bins) * length // bins
    ends = -(-tf.range(1, bins + 1) * length // bins)
    entries = tf.range(length)
    inside = tf.cast((entries >= starts[:, tf.newaxis]) & (entries < ends[:, tf.newaxis]), tf.float32)
    return inside / tf.reduce_sum(inside, axis=1, keepdims=True)


def resize_by_averages(features: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Resizes [B, H, W, C] to [B, height, width, C] by adaptive averages, in the dtype of `features`."""
    vertical = tf.cast(adaptive_average(size(features, 1), height), features.dtype)
    horizontal = tf.cast(adaptive_average(size(features, 2), width), features.dtype)
    return tf.einsum("jx,bixc->bijc", horizontal, tf.einsum("iy,byxc->bixc", vertical, features))


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GlobalSecondOrderPooling(Attention):
    """Weighs channels, or positions, by a gate computed from their covariance matrix.

        channel:  y = x sigmoid(conv1x1(rows(BN(cov(ReLU(BN(conv1x1(ReLU(x)))))))))
        position: y = ReLU(x sigmoid(conv1x1(ReLU(rows(BN(cov(grid(BN(conv1x1(ReLU(x)))))))))))

    rows() gives each row of the covariance matrix four filters of its own; grid() averages the map into 8 x 8
    positions, and the gate of positions is brought back to the map's size by averages too: all sizes work. This
    follows the authors' code with two exceptions: the input is never sub-sampled (there: in the first stage), and the
    covariance of positions, whose samples are the `width` channels, is centred and divided by their number (there: by
    that of the positions). The gate starts near 0.5: the block does not start as identity.

    Args:
        along: "channel" or "position".
        width: d, to how many channels the input is reduced before the covariance (128 in the paper).
        return_maps: See `Attention`.
        rectify: Whether the position form ends in its ReLU, which changes a map with negative values only (that of a
            residual branch before the addition); a configuration without this entry means that it does not.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "gsop_channel" is [B, 1, 1, C], "gsop_position" [B, H, W, 1].
    """

    def __init__(self, along: str = "channel", width: int = 128, return_maps: bool = False, rectify: bool = True,
                 **kwargs):
        super().__init__(return_maps, **kwargs)
        if along not in ("channel", "position") or width < 1:
            raise ValueError("GlobalSecondOrderPooling: expected along 'channel' or 'position' and width >= 1; "
                             f"received along={along!r}, width={width}.")
        self.along, self.width, self.rectify = along, width, rectify

    def build(self, input_shape):
        channels = channels_of(input_shape, "GlobalSecondOrderPooling")
        compared, gates = (self.width, channels) if self.along == "channel" else (GRID**2, GRID**2)
        layers = tf.keras.layers
        self.reduce = layers.Conv2D(self.width, 1, kernel_initializer="he_normal", dtype=self.dtype_policy,
                                    name="reduce")
        self.reduce_normalise = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=self.dtype_policy,
                                                          name="reduce_normalise")
        self.row_normalise = layers.BatchNormalization(axis=1, momentum=0.9, epsilon=1e-5, dtype="float32",
                                                       name="row_normalise")
        self.row = layers.EinsumDense("brc,rcf->brf", (compared, 4), bias_axes="rf", kernel_initializer="he_normal",
                                      dtype="float32", name="row")
        self.excite = layers.Dense(gates, "sigmoid", kernel_initializer="he_normal", dtype=self.dtype_policy,
                                   name="excite")
        self.reduce.build([None, None, None, channels])
        self.reduce_normalise.build([None, None, None, self.width])
        self.row_normalise.build([None, compared, compared])
        self.row.build([None, compared, compared])
        self.excite.build([None, 4 * compared])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        reduced = self.reduce_normalise(self.reduce(tf.nn.relu(inputs)), training=training)
        if self.along == "channel":
            gate = self._gate(covariance(flatten_locations(tf.nn.relu(reduced))), training)
            gate = gate[:, tf.newaxis, tf.newaxis]
        else:
            positions = flatten_locations(resize_by_averages(reduced, GRID, GRID))
            gate = self._gate(covariance(tf.transpose(positions, [0, 2, 1])), training)
            gate = resize_by_averages(tf.reshape(gate, [-1, GRID, GRID, 1]), size(inputs, 1), size(inputs, 2))
        attended = gate * inputs
        if self.along == "position" and self.rectify:
            attended = tf.nn.relu(attended)
        return attended, {f"gsop_{self.along}": gate}

    def _gate(self, covariances, training):
        rows = self.row(self.row_normalise(covariances, training=training))
        rows = tf.reshape(rows, [-1, rows.shape[1] * rows.shape[2]])
        return self.excite(tf.nn.relu(rows) if self.along == "position" else rows)

    def get_config(self):
        return {**super().get_config(), "along": self.along, "width": self.width, "rectify": self.rectify}

    @classmethod
    def from_config(cls, config):
        return cls(**{"rectify": False, **config})
