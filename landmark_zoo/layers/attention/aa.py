"""Attention-augmented convolution (Bello, Zoph, Vaswani, Shlens, Le: Attention Augmented Convolutional Networks,
ICCV 2019, section 3)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of
from landmark_zoo.layers.attention.chunked_attention import MOST_LOGITS, flatten_locations, size

POSITIONS = ("interpolate", "clip", "strict")


def default_dimensions(filters: int, heads: int) -> tuple[int, int]:
    """Returns dk and dv of the paper: 0.2 and 0.1 of the filters, in whole heads, dk at least 20 per head.

    Of the readings of its kappa and upsilon in public code this is the one that gives the paper's parameter counts.
    """
    value = heads * max(1, round(0.1 * filters / heads))
    return max(20 * heads, 2 * value), value


def relative_embeddings(table: tf.Tensor, length: int | tf.Tensor, positions: str) -> tf.Tensor:
    """Returns r[i, j], the table's entry for the offset j - i along one axis.

    Args:
        table: float32 [2 E - 1, d], for the offsets -(E - 1) to E - 1; E is its extent.
        length: L, how long the axis is.
        positions: Where L is not E: "clip" takes the outermost entry for larger offsets; "interpolate" stretches the
            table linearly, so that its ends belong to opposite borders whatever L.

    Returns:
        [L, L, d].
    """
    last = table.shape[0] // 2
    offsets = tf.range(length)[None, :] - tf.range(length)[:, None]
    if positions != "interpolate":
        return tf.gather(table, tf.clip_by_value(offsets, -last, last) + last)
    place = tf.cast(offsets * last, tf.float32) / tf.cast(tf.maximum(length - 1, 1), tf.float32) + last
    below = tf.floor(place)
    part, below = (place - below)[..., None], tf.cast(below, tf.int32)
    return (1 - part) * tf.gather(table, below) + part * tf.gather(table, tf.minimum(below + 1, 2 * last))


def relative_attention(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor,
                       most_logits: int = MOST_LOGITS, recompute: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
    """Attends to all locations by content and by offset, in float32.

        logit of (m, n) for (i, j) = q_ij . (k_mn + rows[i, m] + columns[j, n])

    Args:
        query: [B, H, W, d], scaled.
        key: [B, H, W, d].
        value: [B, H, W, e].
        rows: [H, H, d], see `relative_embeddings`.
        columns: [W, W, d].
        most_logits: How many of one map may exist at once; with more, the map's rows attend one after the other.
        recompute: Whether the gradient then computes each row again instead of keeping all.

    Returns:
        The attended values [B, H, W, e] in the dtype of `value`, and how much each location is attended to, float32
        [B, H W]: 1 where all are equally so.
    """
    dtype, height, width = value.dtype, size(query, 1), size(query, 2)
    value = flatten_locations(value)
    query, key, value, rows, columns = (tf.cast(tensor, tf.float32) for tensor in (query, key, value, rows, columns))

    def attend(query, rows, key, value, columns):
        by_row = tf.einsum("bhwd,hmd->bhwm", query, rows)
        by_column = tf.einsum("bhwd,wnd->bhwn", query, columns)
        logits = tf.einsum("bhwd,bmnd->bhwmn", query, key) + by_row[..., None] + by_column[..., None, :]
        weights = tf.nn.softmax(tf.reshape(logits, [*(size(logits, axis) for axis in range(3)), height * width]))
        return tf.einsum("bhwk,bke->bhwe", weights, value), tf.reduce_sum(weights, axis=(1, 2))

    def one_row(row):
        attended, received = (tf.recompute_grad(attend) if recompute else attend)(
            row[0][:, None], row[1][None], key, value, columns)
        return attended[:, 0], received

    def row_by_row():
        attended, received = tf.map_fn(one_row, (tf.transpose(query, [1, 0, 2, 3]), rows), parallel_iterations=1,
                                       fn_output_signature=(tf.float32, tf.float32))
        return tf.transpose(attended, [1, 0, 2, 3]), tf.reduce_sum(received, axis=0)

    def at_once():
        return attend(query, rows, key, value, columns)

    many = (height * width)**2 > most_logits
    if tf.is_tensor(many):
        attended, received = tf.cond(many, row_by_row, at_once)
    else:
        attended, received = row_by_row() if many else at_once()
    return tf.cast(attended, dtype), received


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class AttentionAugmentedConvolution(Attention):
    """A k x k convolution some of whose output channels are made by multi-head attention instead.

        y = [conv_kxk(x), conv1x1(attention(conv1x1(x)))]

    It stands in for a convolution, so it has no residual and does not start as identity. Its attention knows offsets:
    what a key adds for lying so many rows and columns away is learnt in a table of 2 E - 1 entries per axis that the
    heads share. By definition such tables belong to one size of map, E. The paper's, "strict", are refused on another;
    the other kinds read them anew (`relative_embeddings`) and work on any size. With strides, the locations that attend
    are those on which the convolution's kernel is centred; the paper's pooling of large maps is left out.

    Args:
        filters: Fout; None for as many as come in.
        kernel_size: k, odd.
        strides: Strides of the convolution and of the attention.
        heads: Nh.
        key_dimension: dk, of all heads together; None for the paper's (see `default_dimensions`).
        value_dimension: dv, channels made by attention, 0 (the plain convolution) to Fout; None for the paper's.
        extent: E, for both axes or (rows, columns). 14 is the side of the paper's ResNet maps of stride 16.
        positions: "interpolate", "clip" or "strict".
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown. With "strict" the map of the output must be of size E.

    Output shape:
        [B, ceil(H / strides), ceil(W / strides), filters]. The map "aa", one channel of that size, says how much
        each location is attended to, in the mean over heads: 1 where all are equally so.
    """

    def __init__(self, filters: int | None = None, kernel_size: int = 3, strides: int = 1, heads: int = 8,
                 key_dimension: int | None = None, value_dimension: int | None = None,
                 extent: int | tuple[int, int] = 14, positions: str = "interpolate", return_maps: bool = False,
                 **kwargs):
        super().__init__(return_maps, **kwargs)
        self.filters, self.kernel_size, self.strides, self.heads = filters, kernel_size, strides, heads
        self.key_dimension, self.value_dimension, self.positions = key_dimension, value_dimension, positions
        self.extent = (extent, extent) if isinstance(extent, int) else tuple(extent)
        if kernel_size % 2 == 0 or min(kernel_size, strides, heads, *self.extent) < 1 or positions not in POSITIONS:
            raise ValueError("AttentionAugmentedConvolution: expected an odd kernel_size, strides, heads, extent >= 1 "
                             f"and positions of {POSITIONS}; received kernel_size={kernel_size}, strides={strides}, "
                             f"heads={heads}, extent={extent}, positions={positions!r}.")

    def build(self, input_shape):
        channels = channels_of(input_shape, "AttentionAugmentedConvolution")
        filters = self.filters or channels
        dk, dv = default_dimensions(filters, self.heads)
        self.dk = dk if self.key_dimension is None else self.key_dimension
        self.dv = dv if self.value_dimension is None else self.value_dimension
        if self.dk < 1 or not 0 <= self.dv <= filters or self.dk % self.heads or self.dv % self.heads:
            raise ValueError("AttentionAugmentedConvolution: expected key and value dimensions divisible by "
                             f"heads={self.heads}, the latter at most {filters}; received {self.dk} and {self.dv}.")
        self.convolution = None
        if self.dv < filters:
            self.convolution = self._conv(filters - self.dv, self.kernel_size, "convolution", strides=self.strides,
                                          padding="same" if self.strides == 1 else "valid")
            self.convolution.build([None, None, None, channels])
        if self.dv:
            self.project = self._conv(2 * self.dk + self.dv, 1, "key_query_value", strides=self.strides)
            self.project.build([None, None, None, channels])
            self.merge = self._conv(self.dv, 1, "merge")
            self.merge.build([None, None, None, self.dv])
            depth = self.dk // self.heads
            self.rows, self.columns = (
                self.add_weight(name, [2 * extent - 1, depth],
                                initializer=tf.keras.initializers.RandomNormal(stddev=depth**-0.5))
                for name, extent in zip(("rows", "columns"), self.extent, strict=True))
        super().build(input_shape)

    def _conv(self, filters, kernel_size, name, **arguments):
        return tf.keras.layers.Conv2D(filters, kernel_size, dtype=self.dtype_policy, name=name, **arguments)

    def attend(self, inputs, training=None):
        parts, maps = [], {}
        if self.convolution is not None:
            border = [self.kernel_size // 2] * 2
            padded = inputs if self.strides == 1 else tf.pad(inputs, [[0, 0], border, border, [0, 0]])
            parts.append(self.convolution(padded))
        if self.dv:
            attended, received = self._attention(self.project(inputs), recompute=bool(training))
            parts.append(self.merge(attended))
            maps["aa"] = received
        return tf.concat(parts, axis=-1), maps

    def _attention(self, projected, recompute):
        """Returns the attended values [B, H, W, dv] and the map; `projected` is [B, H, W, 2 dk + dv]."""
        batch, height, width = (size(projected, axis) for axis in range(3))
        if self.positions == "strict":
            self._check_size(height, width)

        def split(tensor):
            depth = tensor.shape[-1] // self.heads
            tensor = tf.transpose(tf.reshape(tensor, [batch, height, width, self.heads, depth]), [0, 3, 1, 2, 4])
            return tf.reshape(tensor, [batch * self.heads, height, width, depth])

        key, query, value = map(split, tf.split(projected, [self.dk, self.dk, self.dv], axis=-1))
        rows, columns = (relative_embeddings(tf.cast(table, tf.float32), side, self.positions)
                         for table, side in ((self.rows, height), (self.columns, width)))
        attended, received = relative_attention(query * (self.dk // self.heads)**-0.5, key, value, rows, columns,
                                                MOST_LOGITS // self.heads, recompute)
        attended = tf.reshape(attended, [batch, self.heads, height, width, self.dv // self.heads])
        attended = tf.transpose(attended, [0, 2, 3, 1, 4])
        received = tf.reduce_mean(tf.reshape(received, [batch, self.heads, height, width]), axis=1)
        return tf.reshape(attended, [batch, height, width, self.dv]), received[..., None]

    def _check_size(self, height, width):
        known = isinstance(height, int) and isinstance(width, int)
        message = ("AttentionAugmentedConvolution: strict positions are tied to one size of map: expected "
                   f"{self.extent}; received {(height, width) if known else 'another'}. Build the layer with that "
                   "extent, or with positions \"interpolate\" or \"clip\".")
        if not known:
            tf.debugging.assert_equal(tf.stack([height, width]), self.extent, message)
        elif (height, width) != self.extent:
            raise ValueError(message)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = tf.TensorShape(input_shape)
        sides = [None if side is None else -(-side // self.strides) for side in (height, width)]
        return tf.TensorShape([batch, *sides, self.filters or channels])

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size,
                "strides": self.strides, "heads": self.heads, "key_dimension": self.key_dimension,
                "value_dimension": self.value_dimension, "extent": self.extent, "positions": self.positions}
