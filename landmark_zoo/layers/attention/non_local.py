"""Non-local block (Wang, Girshick, Gupta, He: Non-local Neural Networks, CVPR 2018, section 3, equations 1-6)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of
from landmark_zoo.layers.attention.chunked_attention import chunked_attention, flatten_locations, size

KINDS = ("gaussian", "embedded", "dot")


def dot_product_attention(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns (query key^T / Nk) value in float32, computed as query (key^T value / Nk): no map of all pairs is made.

    Args:
        query: [B, Nq, D].
        key: [B, Nk, D].
        value: [B, Nk, V].

    Returns:
        The attended values [B, Nq, V] in the dtype of `value`, and the mean over the queries of the weight of each key,
        float32 [B, Nk]; it may be negative.
    """
    queries, keys, values = (tf.cast(tensor, tf.float32) for tensor in (query, key, value))
    keys /= tf.cast(size(key, 1), tf.float32)
    attended = tf.matmul(queries, tf.matmul(keys, values, transpose_a=True))
    received = tf.matmul(keys, tf.reduce_mean(queries, axis=1)[..., tf.newaxis])[..., 0]
    return tf.cast(attended, value.dtype), received


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class NonLocal(Attention):
    """Adds to each location what it gathers from all locations, weighted by similarity.

        z_i = x_i + BN(W_z sum_j A_ij g(x_j)),    A = softmax_j(s theta(x_i) . phi(x_j))

    g, theta, phi and W_z are 1x1 convolutions with biases, N(0, 0.01) as in the authors' code. The scale of BN starts
    at zero: the block starts as identity.

    Args:
        kind: "embedded" as above; "gaussian": theta(x) = phi(x) = x; "dot": A = theta phi^T / N without softmax.
        reduction: By how much theta, phi and g are narrower than the channels (2 in the paper).
        subsample: Whether phi and g see the features after a 2x2 max-pooling with stride 2. Off, as in the equations;
            the authors' video code has it on. Maps of odd sides are padded, so that no location is lost.
        scaled: Whether s = D^-0.5, D being the channels of theta. On, the default of the authors' code; the paper has
            s = 1. Without meaning for "dot".
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C >= reduction. The map "non_local" is [B, H, W, 1]: how much each
        location is attended to, in the mean over all, times N. With softmax 1 is the average; with "dot" values may be
        negative. Where sub-sampled, locations share their pool's.
    """

    def __init__(self, kind: str = "embedded", reduction: int = 2, subsample: bool = False, scaled: bool = True,
                 return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if kind not in KINDS or reduction < 1:
            raise ValueError(f"NonLocal: expected kind one of {', '.join(KINDS)} and reduction >= 1; "
                             f"received kind={kind!r}, reduction={reduction}.")
        self.kind, self.reduction, self.subsample, self.scaled = kind, reduction, subsample, scaled

    def build(self, input_shape):
        channels = channels_of(input_shape, "NonLocal", self.reduction)
        width = channels // self.reduction
        if self.kind != "gaussian":
            self.theta = self._convolution(channels, width, "theta")
            self.phi = self._convolution(channels, width, "phi")
        self.g = self._convolution(channels, width, "g")
        self.out = self._convolution(width, channels, "out")
        self.normalise = tf.keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer="zeros",
                                                            dtype=self.dtype_policy, name="normalise")
        self.normalise.build([None, None, None, channels])
        super().build(input_shape)

    def _convolution(self, channels, filters, name):
        initializer = tf.keras.initializers.RandomNormal(stddev=0.01)
        convolution = tf.keras.layers.Conv2D(filters, 1, kernel_initializer=initializer, dtype=self.dtype_policy,
                                             name=name)
        convolution.build([None, None, None, channels])
        return convolution

    def attend(self, inputs, training=None):
        height, width = size(inputs, 1), size(inputs, 2)
        keyed = tf.nn.max_pool2d(inputs, 2, 2, "SAME") if self.subsample else inputs
        embedded = (inputs, keyed) if self.kind == "gaussian" else (self.theta(inputs), self.phi(keyed))
        query, key, value = (flatten_locations(tensor) for tensor in (*embedded, self.g(keyed)))
        if self.kind == "dot":
            attended, received = dot_product_attention(query, key, value)
        else:
            attended, received = chunked_attention(query, key, value, query.shape[-1] ** -0.5 if self.scaled else 1.0)
        attended = tf.reshape(attended, [size(inputs, 0), height, width, value.shape[-1]])
        seen = tf.reshape(received * tf.cast(size(key, 1), tf.float32), [-1, size(keyed, 1), size(keyed, 2), 1])
        if self.subsample:
            seen = tf.repeat(tf.repeat(seen, 2, axis=1), 2, axis=2)[:, :height, :width]
        return inputs + self.normalise(self.out(attended), training=training), {"non_local": seen}

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "reduction": self.reduction, "subsample": self.subsample,
                "scaled": self.scaled}
