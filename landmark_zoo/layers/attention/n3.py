"""Neural nearest neighbours block (Ploetz, Roth: Neural Nearest Neighbors Networks, NeurIPS 2018, section 3,
equations 8-10)."""

import math

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of
from landmark_zoo.layers.attention.chunked_attention import flatten_locations, in_chunks, size

RECURSIONS = ("paper", "code")
FARTHEST = 1e12
"""The squared distance of a location to itself: farther than all others, even those already chosen."""


def neighbor_weights(distances: tf.Tensor, temperature: tf.Tensor | float, k: int,
                      recursion: str = "paper") -> list[tf.Tensor]:
    """Returns the weights of the candidates as first, second, ..., k-th neighbour: a soft, differentiable selection.

        paper: a^1 = -d,      w^r = softmax(a^r / t),  a^(r+1) = a^r + log(1 - w^r)
        code:  a^1 = -d / t,  w^r = softmax(a^r),      a^(r+1) = a^r + log(1 - w^r)

    They agree at t = 1. As t goes to 0 the paper's form becomes exact selection; in the authors' code a chosen
    candidate and the next one then tie. With fewer candidates than k, some are chosen again.

    Args:
        distances: float32 [..., N], not negative.
        temperature: t > 0; broadcasts to `distances`.
        k: How many neighbours.
        recursion: "paper" or "code".

    Returns:
        k tensors [..., N], each summing to 1 over the last axis.
    """
    logits, temperature = (-distances, temperature) if recursion == "paper" else (-distances / temperature, 1.0)
    weights = []
    for _ in range(k):
        log_weights = tf.nn.log_softmax(logits / temperature)
        weights.append(tf.exp(log_weights))
        logits += log_one_minus(log_weights)
    return weights


def log_one_minus(log_weights: tf.Tensor) -> tf.Tensor:
    """Returns log(1 - w), at least -1e8, given log w; the weights sum to 1 over the last axis. Gradients stay finite.

    That of the largest weight is the log of the sum of the others, so that nothing is lost where it rounds to 1.
    """
    largest = tf.one_hot(tf.argmax(log_weights, axis=-1), size(log_weights, -1), True, False, dtype=tf.bool)
    others = tf.reduce_logsumexp(tf.where(largest, -1e30, log_weights), axis=-1, keepdims=True)
    small = tf.where(largest, -1.0, log_weights)
    return tf.where(largest, tf.maximum(others, -1e8), tf.math.log1p(-tf.exp(small)))


def nearest_neighbors(features: tf.Tensor, embedding: tf.Tensor, log_temperature: tf.Tensor, k: int,
                       recursion: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns each location's k neighbours among all other locations, in float32 and in chunks of bounded memory.

    Args:
        features: What is averaged, [B, N, C].
        embedding: What distances are measured in, [B, N, E].
        log_temperature: float32 [B, N, 1].
        k: How many neighbours.
        recursion: "paper" or "code", see `neighbor_weights`.

    Returns:
        The neighbours, nearest first, [B, N, k C] in the dtype of `features`, and how often each location is a
        neighbour, in the mean over ranks, float32 [B, N]; 1 is the average.
    """

    def attend(queries, log_temperatures, places, present, keys, values):
        squares = tf.reduce_sum(queries**2, axis=2)[..., tf.newaxis] + tf.reduce_sum(keys**2, axis=2)[:, tf.newaxis]
        distances = tf.maximum(squares - 2 * tf.matmul(queries, keys, transpose_b=True), 0.0)
        distances = tf.where(places == tf.range(size(keys, 1), dtype=tf.float32), FARTHEST, distances)
        weights = neighbor_weights(distances, tf.exp(log_temperatures), k, recursion)
        received = tf.matmul(tf.add_n(weights) / k, present, transpose_a=True)[..., 0]
        return tf.concat([tf.matmul(each, values) for each in weights], axis=2), received

    keys, values = embedding_of_unit_distance(embedding), tf.cast(features, tf.float32)
    batch, count = size(keys, 0), size(keys, 1)
    places = tf.broadcast_to(tf.range(count, dtype=tf.float32)[:, tf.newaxis], [batch, count, 1])
    found, received = in_chunks(attend, [keys, log_temperature, places], [keys, values], 4 * k * count)
    return tf.cast(found, features.dtype), received


def embedding_of_unit_distance(embedding: tf.Tensor) -> tf.Tensor:
    """Centres and scales [B, N, E]: the mean squared distance between the locations of an image becomes 1; float32."""
    embedding = tf.cast(embedding, tf.float32)
    embedding -= tf.reduce_mean(embedding, axis=1, keepdims=True)
    mean_square = tf.reduce_mean(tf.reduce_sum(embedding**2, axis=2, keepdims=True), axis=1, keepdims=True)
    return embedding * tf.math.rsqrt(2 * mean_square + 1e-6)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class NeuralNearestNeighbors(Attention):
    """Adds to each location a linear function of itself and of its k softly selected neighbours in the image.

        y = x + conv1x1([x, z^1 - x, ..., z^k - x]),    z^r_i = sum_j w^r_ij x_j,    d_ij = |e(x_i) - e(x_j)|^2

    The paper's block ends with the (k + 1) C channels in brackets; the convolution back to C is ours. It has no bias
    and starts at zero: the block starts as identity. e is a 1x1 convolution. The authors' batch normalisation of the
    distances needs all pairs at once; instead, e is scaled so that the mean squared distance in each image is 1. The
    temperature of a location is t = temperature exp(conv1x1(x)), from a convolution that starts at zero; its exponent
    is kept within -6 and 6. Candidates are all other locations, not a window as in the authors' denoising.

    Args:
        k: How many neighbours (7 in the paper).
        temperature: Initial t, for squared distances of mean 1 (0.1 in the authors' code).
        reduction: By how much e(x) is narrower than the channels.
        recursion: "paper" or "code", see `neighbor_weights`.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C >= reduction. The map "n3" is [B, H, W, 1]: how often each location is a
        neighbour, in the mean over ranks; 1 is the average.
    """

    def __init__(self, k: int = 7, temperature: float = 0.1, reduction: int = 8, recursion: str = "paper",
                 return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if k < 1 or not temperature > 0 or reduction < 1 or recursion not in RECURSIONS:
            raise ValueError(
                "NeuralNearestNeighbors: expected k >= 1, temperature > 0, reduction >= 1 and recursion one of "
                f"{', '.join(RECURSIONS)}; received k={k}, temperature={temperature}, reduction={reduction}, "
                f"recursion={recursion!r}.")
        self.k, self.temperature, self.reduction, self.recursion = k, temperature, reduction, recursion

    def build(self, input_shape):
        channels = channels_of(input_shape, "NeuralNearestNeighbors", self.reduction)
        self.embed = tf.keras.layers.Conv2D(channels // self.reduction, 1, use_bias=False, dtype=self.dtype_policy,
                                            name="embed")
        self.exponent = tf.keras.layers.Conv2D(1, 1, kernel_initializer="zeros", dtype=self.dtype_policy,
                                               name="exponent")
        self.mix = tf.keras.layers.Conv2D(channels, 1, use_bias=False, kernel_initializer="zeros",
                                          dtype=self.dtype_policy, name="mix")
        self.embed.build([None, None, None, channels])
        self.exponent.build([None, None, None, channels])
        self.mix.build([None, None, None, (self.k + 1) * channels])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        exponent = tf.cast(self.exponent(inputs), tf.float32)
        log_temperature = math.log(self.temperature) + tf.clip_by_value(exponent, -6.0, 6.0)
        found, received = nearest_neighbors(*map(flatten_locations, (inputs, self.embed(inputs), log_temperature)),
                                             self.k, self.recursion)
        batch, height, width = (size(inputs, axis) for axis in range(3))
        found = tf.reshape(found, [batch, height, width, self.k * inputs.shape[-1]])
        mixed = self.mix(tf.concat([inputs, found - tf.tile(inputs, [1, 1, 1, self.k])], axis=-1))
        return inputs + mixed, {"n3": tf.reshape(received, [batch, height, width, 1])}

    def get_config(self):
        return {**super().get_config(), "k": self.k, "temperature": self.temperature, "reduction": self.reduction,
                "recursion": self.recursion}


tf.keras.utils.get_custom_objects()["landmark_zoo>NeuralNearestNeighbours"] = NeuralNearestNeighbors  # in older files
