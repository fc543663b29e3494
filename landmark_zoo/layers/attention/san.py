"""SAN: self-attention within a small footprint (Zhao, Jia, Koltun: Exploring Self-Attention for Image Recognition,
CVPR 2020, section 3; settings as in the authors' code)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of

KINDS, SHARINGS = ("pairwise", "patchwise"), ("modulo", "block")


def reflect(features: tf.Tensor, border: int) -> tf.Tensor:
    """Pads height and width by reflection; a map too small to be reflected once is reflected again.

    This is `numpy.pad`'s "reflect". The authors' and `tf.pad`'s refuse a side of at most `border` pixels.

    Args:
        features: [B, H, W, C].
        border: How many rows and columns to add on each side.

    Returns:
        [B, H + 2 border, W + 2 border, C].
    """
    for axis in (1, 2):
        side = tf.shape(features)[axis]
        period = tf.maximum(2 * (side - 1), 1)
        place = tf.math.floormod(tf.range(-border, side + border), period)
        features = tf.gather(features, tf.minimum(place, period - place), axis=axis)
    return features


def neighbors(features: tf.Tensor, kernel_size: int) -> tf.Tensor:
    """Returns the footprint of each location, row by row: [B, H, W, k k, C] from [B, H, W, C]."""
    size = tf.shape(features)
    features = reflect(features, kernel_size // 2)
    features = tf.stack([features[:, y:y + size[1]] for y in range(kernel_size)], axis=3)
    features = tf.stack([features[:, :, x:x + size[2]] for x in range(kernel_size)], axis=4)
    return tf.reshape(features, tf.stack([size[0], size[1], size[2], kernel_size**2, features.shape[-1]]))


def aggregate(weights: tf.Tensor, values: tf.Tensor, kernel_size: int, recompute: bool = False,
              sharing: str = "modulo") -> tf.Tensor:
    """Returns the sum over the footprint of weights times values; s = D / G channels share a weight.

    One neighbour after the other, so that the k k shifted copies of the values, by far the largest tensors, need not
    exist together.

    Args:
        weights: [B, H, W, k k, G].
        values: [B, H, W, D].
        kernel_size: k.
        recompute: Whether the gradient shifts the values again instead of keeping the copies.
        sharing: "modulo", channel c takes weight c mod G, or "block", weight floor(c / s).

    Returns:
        [B, H, W, D].
    """
    groups, depth = weights.shape[-1], values.shape[-1]
    size, padded = tf.shape(values), reflect(values, kernel_size // 2)
    split, shared = ([depth // groups, groups], -2) if sharing == "modulo" else ([groups, depth // groups], -1)
    grouped = tf.concat([size[:3], split], axis=0)

    def add(total, neighbor):
        weight, place = neighbor

        def weighted(weight, padded):
            shifted = tf.slice(padded, tf.stack([0, place // kernel_size, place % kernel_size, 0]), size)
            return tf.expand_dims(weight, shared) * tf.reshape(shifted, grouped)

        return total + (tf.recompute_grad(weighted) if recompute else weighted)(weight, padded)

    attended = tf.foldl(add, (tf.transpose(weights, [3, 0, 1, 2, 4]), tf.range(kernel_size**2)),
                        tf.zeros(grouped, values.dtype), parallel_iterations=1)
    return tf.ensure_shape(tf.reshape(attended, size), values.shape)


def received(weights: tf.Tensor, kernel_size: int) -> tf.Tensor:
    """Returns how much of its neighbours' weights each location gets, 1 where all weights are 1 / (k k).

    Args:
        weights: [B, H, W, k k, G].
        kernel_size: k.

    Returns:
        [B, H, W, 1], the mean over groups; what lies beyond the border and is reflected is left out.
    """
    mean = tf.reduce_mean(weights, axis=-1)
    taps = tf.reshape(tf.eye(kernel_size**2, dtype=mean.dtype), [kernel_size, kernel_size, 1, kernel_size**2])
    size = tf.concat([tf.shape(mean)[:3], [1]], axis=0)
    total, even = (tf.nn.conv2d_transpose(x, taps, size, strides=1)
                   for x in (mean, tf.ones_like(mean) / kernel_size**2))
    return total / even


def _conv(filters: int, name: str, dtype, use_bias: bool = True) -> tf.keras.layers.Conv2D:
    return tf.keras.layers.Conv2D(filters, 1, use_bias=use_bias, dtype=dtype, name=name)


def _norm(name: str, dtype) -> tf.keras.layers.BatchNormalization:
    return tf.keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype, name=name)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SelfAttentionModule(Attention):
    """Weighs the k x k neighbours of each location by weights computed from them; replaces a k x k convolution.

        pairwise:   w_i = softmax over j of f([phi(x_i) - psi(x_j), P(p_i) - P(p_j)])
        patchwise:  w_i = f([phi(x_i), psi(x_j) of all j])
        y_i = sum_j w_ij beta(x_j)

    A weight serves the `share` channels that leave the same remainder when divided by the number D / share of weights, and
    f takes and gives patchwise numbers channel by channel, all neighbours of one together: as in the authors' code, so that
    its weights load. With sharing "block" a weight serves consecutive channels, and neighbours come one after the other.

    f is BN-ReLU-conv1x1-BN-ReLU-conv1x1, P a linear map of coordinates from -1 to 1. Pairwise weights are positive and
    sum to 1 over the neighbours; patchwise weights are free. As in the authors' code, four biases of the pairwise kind
    have no effect: P's, f's last, and in training phi's and psi's. What f sees, about k k C / 16 numbers per location,
    is held for the whole batch.

    Args:
        kind: "pairwise" or "patchwise".
        filters: D, channels of the output; None for C / 4. A multiple of `share`.
        kernel_size: k, odd. The authors use 3 in the first stage and 7 in the others.
        share: How many channels share a weight.
        return_maps: See `Attention`.
        sharing: "modulo" or "block", see `aggregate`; a configuration without this entry means "block".
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown, and smaller than k (see `reflect`); C >= 16.

    Output shape:
        [B, H, W, D]. The map is that of `received`, [B, H, W, 1], named "san_" and the kind.
    """

    def __init__(self, kind: str = "pairwise", filters: int | None = None, kernel_size: int = 7, share: int = 8,
                 return_maps: bool = False, sharing: str = "modulo", **kwargs):
        super().__init__(return_maps, **kwargs)
        if kind not in KINDS or kernel_size < 1 or kernel_size % 2 == 0 or share < 1 or sharing not in SHARINGS:
            raise ValueError(f"SelfAttentionModule: expected a kind of {KINDS}, an odd kernel_size, share >= 1 and a "
                             f"sharing of {SHARINGS}; received kind={kind!r}, kernel_size={kernel_size}, share={share}, "
                             f"sharing={sharing!r}.")
        self.kind, self.filters, self.kernel_size, self.share, self.sharing = kind, filters, kernel_size, share, sharing

    def build(self, input_shape):
        channels = channels_of(input_shape, "SelfAttentionModule", 16)
        relation, taps = channels // 16, self.kernel_size**2
        self.depth = channels // 4 if self.filters is None else self.filters
        groups = self.depth // self.share
        if groups < 1 or self.depth % self.share:
            raise ValueError("SelfAttentionModule: expected filters (by default C / 4) divisible by "
                             f"share={self.share}; received {self.depth} for C={channels}.")
        pairwise, dtype = self.kind == "pairwise", self.dtype_policy
        joined = relation + 2 if pairwise else relation * (taps + 1)
        hidden = relation if pairwise else groups
        self.query, self.key = _conv(relation, "phi", dtype), _conv(relation, "psi", dtype)
        self.value = _conv(self.depth, "beta", dtype)
        for layer in (self.query, self.key, self.value):
            layer.build([None, None, None, channels])
        if pairwise:
            self.position = _conv(2, "position", dtype)
            self.position.build([None, None, None, 2])
        self.norm_1, self.norm_2 = _norm("norm_1", dtype), _norm("norm_2", dtype)
        self.mix = _conv(hidden, "mix", dtype, use_bias=False)
        self.weigh = _conv(groups if pairwise else taps * groups, "weigh", dtype)
        for layer, width in ((self.norm_1, joined), (self.mix, joined), (self.norm_2, hidden), (self.weigh, hidden)):
            layer.build([None, None, None, width])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        weights = (self._pairwise if self.kind == "pairwise" else self._patchwise)(inputs, training)
        attended = aggregate(weights, self.value(inputs), self.kernel_size, bool(training), self.sharing)
        return attended, {f"san_{self.kind}": received(weights, self.kernel_size)}

    def _pairwise(self, inputs, training):
        keys = neighbors(self.key(inputs), self.kernel_size)
        places = self.position(tf.cast(_coordinates(tf.shape(inputs)), self.compute_dtype))
        places = places[..., None, :] - neighbors(places, self.kernel_size)
        places = tf.broadcast_to(places, tf.concat([tf.shape(keys)[:-1], [2]], axis=0))
        logits = self._weigh(tf.concat([self.query(inputs)[..., None, :] - keys, places], axis=-1), training)
        return tf.cast(tf.nn.softmax(tf.cast(logits, tf.float32), axis=3), logits.dtype)

    def _patchwise(self, inputs, training):
        keys, channels_first = neighbors(self.key(inputs), self.kernel_size), self.sharing == "modulo"
        keys = tf.einsum("bhwkc->bhwck", keys) if channels_first else keys
        keys = tf.reshape(keys, tf.concat([tf.shape(keys)[:3], [keys.shape[3] * keys.shape[4]]], axis=0))
        weights, taps = self._weigh(tf.concat([self.query(inputs), keys], axis=-1), training), self.kernel_size**2
        groups = weights.shape[-1] // taps
        split = [groups, taps] if channels_first else [taps, groups]
        weights = tf.reshape(weights, tf.concat([tf.shape(inputs)[:3], split], axis=0))
        return tf.einsum("bhwgk->bhwkg", weights) if channels_first else weights

    def _weigh(self, relations, training):
        """Applies f to [..., relations]; batch normalisation is fused, and quick, on four axes only."""
        size = tf.shape(relations)
        flat = tf.reshape(relations, tf.stack([size[0], size[1], tf.reduce_prod(size[2:-1]), relations.shape[-1]]))
        hidden = self.mix(tf.nn.relu(self.norm_1(flat, training=training)))
        weights = self.weigh(tf.nn.relu(self.norm_2(hidden, training=training)))
        return tf.reshape(weights, tf.concat([size[:-1], [weights.shape[-1]]], axis=0))

    def compute_output_shape(self, input_shape):
        shape = tf.TensorShape(input_shape)
        return shape[:3].concatenate(shape[3] // 4 if self.filters is None else self.filters)

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "filters": self.filters, "kernel_size": self.kernel_size,
                "share": self.share, "sharing": self.sharing}

    @classmethod
    def from_config(cls, config):
        return cls(**{"sharing": "block", **config})


def _coordinates(size: tf.Tensor) -> tf.Tensor:
    """Returns x and y from -1 to 1 of each location: float32 [1, H, W, 2]."""
    y, x = tf.linspace(-1.0, 1.0, size[1]), tf.linspace(-1.0, 1.0, size[2])
    return tf.stack(tf.meshgrid(x, y), axis=-1)[None]


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SANBlock(Attention):
    """The network's bottleneck: `SelfAttentionModule` to C / 4 channels and back, added to what came in.

        y = x + conv1x1(relu(BN(attention(relu(BN(x))))))

    Args:
        kind: "pairwise" or "patchwise".
        kernel_size: k, the footprint's side, odd.
        share: How many channels share a weight.
        return_maps: See `Attention`.
        sharing: "modulo" or "block", see `aggregate`; a configuration without this entry means "block".
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C / 4 a multiple of `share`. The map, "san_" and the kind, is [B, H, W, 1].
    """

    def __init__(self, kind: str = "pairwise", kernel_size: int = 7, share: int = 8, return_maps: bool = False,
                 sharing: str = "modulo", **kwargs):
        super().__init__(return_maps, **kwargs)
        self.kind, self.kernel_size, self.share, self.sharing = kind, kernel_size, share, sharing
        self.attention = SelfAttentionModule(kind, None, kernel_size, share, return_maps=True, sharing=sharing,
                                             dtype=self.dtype_policy, name="attention")

    def build(self, input_shape):
        channels = channels_of(input_shape, "SANBlock", 16)
        self.norm_in, self.norm_out = _norm("norm_in", self.dtype_policy), _norm("norm_out", self.dtype_policy)
        self.expand = _conv(channels, "expand", self.dtype_policy)
        for layer, width in ((self.norm_in, channels), (self.attention, channels), (self.norm_out, channels // 4),
                             (self.expand, channels // 4)):
            layer.build([None, None, None, width])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        attended, maps = self.attention(tf.nn.relu(self.norm_in(inputs, training=training)), training=training)
        return inputs + self.expand(tf.nn.relu(self.norm_out(attended, training=training))), maps

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "kernel_size": self.kernel_size, "share": self.share,
                "sharing": self.sharing}

    @classmethod
    def from_config(cls, config):
        return cls(**{"sharing": "block", **config})
