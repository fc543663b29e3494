"""SALAD (Izquierdo and Civera: Optimal Transport Aggregation for Visual Place Recognition, CVPR 2024, section 3; settings
from the authors' code)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import channels_of
from landmark_zoo.layers.attention.chunked_attention import flatten_locations
from landmark_zoo.layers.embedding import l2_normalize
from landmark_zoo.layers.pooling.global_pooling import Pooling

layers = tf.keras.layers


def transport(scores: tf.Tensor, dustbin: tf.Tensor | float, rounds: int = 3) -> tf.Tensor:
    """Returns how the locations of a map are shared out among clusters: an entropic transport plan without its dustbin.

    exp(scores + u + v), with u and v found by rounds of Sinkhorn: rows are scaled to the mass of their cluster, then columns
    to the mass of their location, 1. Each cluster takes a mass of 1 and the dustbin what is left, n - m. Its score is the
    same for all locations, so that the scaling of its row takes it out: no plan depends on it, nor in the authors' code.
    Where there are no more locations than clusters, for which the authors' code has no answer, the clusters and the dustbin
    take n / (m + 1) each; at n = m + 1 both are the same.

    Args:
        scores: float32 [B, n, m], of n locations and m clusters.
        dustbin: Score of the dustbin, which changes nothing; files of torch hold it.
        rounds: Number of rounds; the paper has 3.

    Returns:
        float32 [B, n, m]; a location's sum is at most 1.
    """
    batch, count = tf.unstack(tf.shape(scores)[:2])
    clusters, locations = scores.shape[-1], tf.cast(count, tf.float32)
    share = tf.minimum(1.0, locations / (clusters + 1))
    mass = tf.concat([tf.fill([clusters], share), [locations - clusters * share]], axis=0)
    scores = tf.concat([scores, tf.fill([batch, count, 1], tf.cast(dustbin, tf.float32))], axis=-1)
    columns = tf.zeros_like(scores[..., :1])
    for _ in range(rounds):
        rows = tf.math.log(mass) - tf.reduce_logsumexp(scores + columns, axis=1, keepdims=True)
        columns = -tf.reduce_logsumexp(scores + rows, axis=2, keepdims=True)
    return tf.exp(scores + rows + columns)[..., :-1]


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class SALAD(Pooling):
    """Sums features over the locations that an optimal transport gives to each of m clusters, beside a token of the image.

        f_i, s_i = MLP(x_i), MLP'(x_i),    P = transport(s, z),    V_k = sum_i P_ik f_i,    g = MLP''(t)

    The vector is g, at length 1, and every V_k, at length 1, all together at length 1. The token t is the class token of a
    transformer. Where none is given, on a convolutional network, the mean of the map takes its place.

    Args:
        clusters: m.
        cluster_dim: Length of the V_k; 128 in the paper, 256 in MegaLoc.
        token_dim: Length of g.
        hidden: Hidden channels of the three MLPs.
        dropout: Part of the hidden channels of f and s that training leaves out.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C], or a list of that and of the token [B, C]; H and W may be unknown.

    Output shape:
        float32 [B, token_dim + cluster_dim clusters], of length 1. The clusters stand side by side: all their first channels
        come before all their second ones.
    """

    takes_class_token = True
    torch_parts = *(
        (f"{branch}.{number}.{part}", axes if part == "weight" else (0,))
        for branch, last, axes in (("token_features", 2, (1, 0)), ("cluster_features", 3, (2, 3, 1, 0)),
                                   ("score", 3, (2, 3, 1, 0)))
        for number in (0, last) for part in ("weight", "bias")), ("dust_bin", ())

    def __init__(self, clusters: int = 64, cluster_dim: int = 128, token_dim: int = 256, hidden: int = 512,
                 dropout: float = 0.3, **kwargs):
        super().__init__(**kwargs)
        if min(clusters, cluster_dim, token_dim, hidden) < 1 or not 0 <= dropout < 1:
            raise ValueError("SALAD: expected clusters, cluster_dim, token_dim and hidden >= 1 and 0 <= dropout < 1; "
                             f"received {clusters}, {cluster_dim}, {token_dim}, {hidden} and {dropout}.")
        self.clusters, self.cluster_dim, self.token_dim = clusters, cluster_dim, token_dim
        self.hidden, self.dropout = hidden, dropout

    def build(self, input_shape):
        channels = channels_of(shape_of_map(input_shape), "SALAD")
        self.dustbin = self.add_weight("dust_bin", [], initializer="ones", trainable=False)
        for name, kind, units in (("token_features", layers.Dense, [self.token_dim]),
                                  ("cluster_features", layers.Conv2D, [self.cluster_dim, 1]),
                                  ("score", layers.Conv2D, [self.clusters, 1])):
            first = kind(self.hidden, *units[1:], dtype=self.dtype_policy, name=f"{name}_0")
            last = kind(*units, dtype=self.dtype_policy, name=f"{name}_1")
            for layer, width in ((first, channels), (last, self.hidden)):
                with tf.name_scope(layer.name):
                    layer.build([None, width] if kind is layers.Dense else [None, None, None, width])
            setattr(self, name, [first, last])
        self.left_out = layers.Dropout(self.dropout, dtype=self.dtype_policy)
        super().build(shape_of_map(input_shape))

    def call(self, inputs, training=None):
        pair = isinstance(inputs, list | tuple)
        features, token = inputs if pair else (inputs, tf.reduce_mean(inputs, axis=(1, 2)))
        score, values = (flatten_locations(last(tf.nn.relu(self.left_out(first(features), training=training))))
                         for first, last in (self.score, self.cluster_features))
        sums = tf.einsum("bnk,bnc->bck", transport(score, self.dustbin), values)
        first, last = self.token_features
        sums = tf.reshape(l2_normalize(sums, axis=1), [-1, self.cluster_dim * self.clusters])
        return l2_normalize(tf.concat([l2_normalize(last(tf.nn.relu(first(token)))), sums], axis=-1))

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([shape_of_map(input_shape)[0], self.token_dim + self.cluster_dim * self.clusters])

    def get_config(self):
        return {**super().get_config(), "clusters": self.clusters, "cluster_dim": self.cluster_dim,
                "token_dim": self.token_dim, "hidden": self.hidden, "dropout": self.dropout}


def shape_of_map(input_shape) -> tf.TensorShape:
    """Returns the shape of a feature map that comes alone or first in a list."""
    alone = isinstance(input_shape, tf.TensorShape) or not isinstance(input_shape[0], list | tuple | tf.TensorShape)
    return tf.TensorShape(input_shape if alone else input_shape[0])
