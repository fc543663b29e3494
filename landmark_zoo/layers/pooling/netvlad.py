"""NetVLAD (Arandjelovic et al.: NetVLAD: CNN Architecture for Weakly Supervised Place Recognition, CVPR 2016,
equations 1-4; start from k-means as in the authors' code)."""

import numpy as np
import tensorflow as tf
from sklearn.cluster import KMeans

from landmark_zoo.layers.attention.base import channels_of
from landmark_zoo.layers.attention.crn import ContextualReweighting
from landmark_zoo.layers.embedding import l2_normalize
from landmark_zoo.layers.pooling.global_pooling import Pooling


def vlad(features: tf.Tensor, assignments: tf.Tensor, centres: tf.Tensor) -> tf.Tensor:
    """Returns V_k = sum_i a_ik (x_i - c_k), each V_k at length 1, and all of them together at length 1.

    Args:
        features: float32 [B, H, W, C].
        assignments: float32 [B, H, W, K].
        centres: float32 [K, C].

    Returns:
        float32 [B, K C], cluster by cluster; a cluster without residual is zero.
    """
    sums = tf.einsum("bhwk,bhwc->bkc", assignments, features)
    residuals = sums - tf.reduce_sum(assignments, axis=(1, 2))[..., tf.newaxis] * centres
    return l2_normalize(tf.reshape(l2_normalize(residuals), [-1, centres.shape[0] * centres.shape[1]]))


def sharpness(vectors: np.ndarray, centres: np.ndarray, version: str = "v2") -> float:
    """Returns the alpha with which the second nearest centre weighs, typically, 0.01 of the nearest.

    That is -ln(0.01) over the mean gap between the two, in squared distance ("v2") or in the dot product with centres
    of length 1 ("v1").

    Args:
        vectors: [N, C], of length 1.
        centres: [K, C], K >= 2.
        version: "v1" or "v2", see `NetVLAD`.

    Raises:
        ValueError: Fewer than two centres.
    """
    if len(centres) < 2:
        raise ValueError(f"sharpness: expected at least 2 centres; received {len(centres)}.")
    if version == "v2":
        nearness = 2 * vectors @ centres.T - np.sum(centres**2, axis=1)
    else:
        nearness = vectors @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T
    second, first = np.sort(nearness, axis=1)[:, -2:].T
    return float(-np.log(0.01) / np.mean(first - second))


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class NetVLAD(Pooling):
    """Sums residuals to learnt centres, each location shared softly among the centres.

        x <- x / |x|,    a_i = softmax(W x_i + b),    V_k = sum_i a_ik (x_i - c_k)

    After the start W, b and c are learnt apart from each other. They are random until `fit` or `set_centres`, and
    training from there is known to be poor.

    Args:
        clusters: K (64 in the paper).
        version: "v2" with b (Vlad-v2 of the authors) or "v1" without, as the authors of contextual reweighting have it.
        crn: Whether a_i is multiplied by the mask of contextual reweighting (Kim et al., CVPR 2017), computed from the
            features before they are brought to length 1.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        float32 [B, K C], each row of length 1.
    """

    def __init__(self, clusters: int = 64, version: str = "v2", crn: bool = False, **kwargs):
        super().__init__(**kwargs)
        if clusters < 1 or version not in ("v1", "v2"):
            raise ValueError(f"NetVLAD: expected clusters >= 1 and version 'v1' or 'v2'; "
                             f"received clusters={clusters}, version={version!r}.")
        self.clusters, self.version, self.crn = clusters, version, crn

    def build(self, input_shape):
        channels = channels_of(input_shape, "NetVLAD")
        self.kernel = self.add_weight("kernel", [channels, self.clusters], initializer="glorot_uniform")
        self.bias = self.add_weight("bias", [self.clusters], initializer="zeros") if self.version == "v2" else None
        self.centres = self.add_weight("centres", [self.clusters, channels], initializer="glorot_uniform")
        if self.crn:
            self.context = ContextualReweighting(dtype=self.dtype_policy, name="crn")
            self.context.build([None, None, None, channels])
        super().build(input_shape)

    def call(self, inputs):
        features = l2_normalize(inputs)
        logits = tf.tensordot(features, self.kernel, 1)
        assignments = tf.nn.softmax(logits if self.bias is None else logits + self.bias)
        if self.crn:
            assignments *= self.context.mask(inputs)
        return vlad(features, assignments, self.centres)

    def set_centers(self, centres: np.ndarray, alpha: float) -> None:
        """Starts from centres; the layer must be built.

            v2: W = 2 alpha c, b = -alpha |c|^2    v1: W = alpha c / |c|

        Args:
            centres: [K, C].
            alpha: How sharply locations are assigned, see `sharpness`.

        Raises:
            ValueError: Centres of another shape.
        """
        if np.shape(centres) != tuple(self.centres.shape):
            raise ValueError(f"NetVLAD: expected centres of shape {tuple(self.centres.shape)}; "
                             f"received {np.shape(centres)}.")
        lengths = np.linalg.norm(centres, axis=1)
        self.centres.assign(centres)
        if self.version == "v2":
            self.kernel.assign(2 * alpha * centres.T)
            self.bias.assign(-alpha * lengths**2)
        else:
            self.kernel.assign(alpha * (centres / lengths[:, np.newaxis]).T)

    def fit(self, vectors: np.ndarray, seed: int = 0) -> None:
        """Starts from the k-means centres of locations, e.g. 50,000 of them from several hundred images.

        Args:
            vectors: [N, C], N >= K >= 2; brought to length 1 here.
            seed: Seed of k-means.
        """
        vectors = l2_normalize(vectors).numpy()
        if not self.built:
            self.build([None, None, None, vectors.shape[1]])
        centres = KMeans(self.clusters, n_init=1, random_state=seed).fit(vectors).cluster_centers_
        self.set_centers(centres, sharpness(vectors, centres, self.version))

    def compute_output_shape(self, input_shape):
        return tf.TensorShape([input_shape[0], self.clusters * input_shape[-1]])

    def get_config(self):
        return {**super().get_config(), "clusters": self.clusters, "version": self.version, "crn": self.crn}
