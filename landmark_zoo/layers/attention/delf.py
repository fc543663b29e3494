"""Attention of DELF and DELG, and DELG's branch of local features.

Sources: DELF (Noh et al.: Large-Scale Image Retrieval with Attentive Deep Local Features, ICCV 2017, section 3.2) and DELG
(Cao, Araujo, Sim: Unifying Deep Local and Global Features for Image Search, ECCV 2020, section 3); settings from the
authors' code.
"""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of
from landmark_zoo.layers.embedding import l2_normalize

DECAY = 1e-4  # L2 penalty on the kernels of the score
SCORE_FORMS = ("paper", "2020", "2021")


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class DELF(Attention):
    """Weighs each location's direction by a score; the length of the feature does not count.

        s = softplus(w2 relu(BN(W1 x + b1)) + b2),    y = s x / |x|

    The vector that DELF trains is the plain mean of y over locations: not divided by the sum of scores, which are >= 0
    and unbounded. Both kernels carry an L2 penalty of 1e-4 (in `losses`).

    Args:
        hidden: Filters of the first convolution.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "score" is [B, H, W, 1].
    """

    def __init__(self, hidden: int = 512, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if hidden < 1:
            raise ValueError(f"{type(self).__name__}: expected hidden >= 1; received {hidden}.")
        self.hidden = hidden

    def build(self, input_shape):
        channels = channels_of(input_shape, type(self).__name__)
        self.attn_conv1 = tf.keras.layers.Conv2D(self.hidden, 1, kernel_regularizer=tf.keras.regularizers.L2(DECAY),
                                                 dtype=self.dtype_policy, name="attn_conv1")
        self.bn_conv1 = tf.keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, dtype=self.dtype_policy,
                                                           name="bn_conv1")
        self.attn_conv2 = tf.keras.layers.Conv2D(1, 1, activation="softplus",
                                                 kernel_regularizer=tf.keras.regularizers.L2(DECAY),
                                                 dtype=self.dtype_policy, name="attn_conv2")
        self.attn_conv1.build([None, None, None, channels])
        self.bn_conv1.build([None, None, None, self.hidden])
        self.attn_conv2.build([None, None, None, self.hidden])
        super().build(input_shape)

    def score(self, features: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns the scores [B, H, W, 1] of features [B, H, W, C]."""
        return self.attn_conv2(tf.nn.relu(self.bn_conv1(self.attn_conv1(features), training=training)))

    def attend(self, inputs, training=None):
        score = self.score(inputs, training)
        return score * tf.cast(l2_normalize(inputs), score.dtype), {"score": score}

    def get_config(self):
        return {**super().get_config(), "hidden": self.hidden}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class DELG(DELF):
    """DELF's score on what an autoencoder of few channels keeps of the features.

        z = Wr x + br,    x' = relu(We z + be),    y = s(x) x' / |x'|

    z are DELG's local features. So far the paper. The authors' code computes the score from what the autoencoder keeps, and
    since 2021 weighs the features themselves by it (tensorflow/models issue 9877):

        "2020": y = s(x') x' / |x'|    "2021": y = s(x') x / |x|

    DELG trains the cross-entropy of the mean of y
    together with 10 times `reconstruction_error`, while a global branch trains the backbone.

    Args:
        hidden: Filters of the score's first convolution.
        autoencoder_dim: Channels of z.
        stop_gradient: Whether the backbone is kept from learning through this layer, as in DELG. A model whose
            embedding comes from this layer alone then does not train its backbone.
        return_maps: See `Attention`.
        score_form: "paper", or the year of the authors' code: "2020" or "2021".
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown. The map "score" is [B, H, W, 1].
    """

    def __init__(self, hidden: int = 512, autoencoder_dim: int = 128, stop_gradient: bool = False,
                 return_maps: bool = False, score_form: str = "paper", **kwargs):
        super().__init__(hidden, return_maps, **kwargs)
        if autoencoder_dim < 1:
            raise ValueError(f"DELG: expected autoencoder_dim >= 1; received {autoencoder_dim}.")
        if score_form not in SCORE_FORMS:
            raise ValueError(f"DELG: expected score_form {', '.join(SCORE_FORMS)}; received {score_form!r}.")
        self.autoencoder_dim, self.stop_gradient, self.score_form = autoencoder_dim, stop_gradient, score_form

    def build(self, input_shape):
        super().build(input_shape)
        channels = int(input_shape[-1])
        self.reduce = tf.keras.layers.Conv2D(self.autoencoder_dim, 1, dtype=self.dtype_policy, name="autoenc_conv1")
        self.expand = tf.keras.layers.Conv2D(channels, 1, activation="relu", dtype=self.dtype_policy,
                                             name="autoenc_conv2")
        self.reduce.build([None, None, None, channels])
        self.expand.build([None, None, None, self.autoencoder_dim])

    def reconstruct(self, features: tf.Tensor) -> tf.Tensor:
        """Returns x' [B, H, W, C] for features x [B, H, W, C]."""
        return self.expand(self.reduce(tf.stop_gradient(features) if self.stop_gradient else features))

    def reconstruction_error(self, features: tf.Tensor) -> tf.Tensor:
        """Returns the mean of (x - x')^2 over locations and channels, float32 [B]; as a target x is a constant."""
        target = tf.cast(tf.stop_gradient(features), tf.float32)
        return tf.reduce_mean((tf.cast(self.reconstruct(features), tf.float32) - target) ** 2, axis=(1, 2, 3))

    def attend(self, inputs, training=None):
        features, kept = tf.stop_gradient(inputs) if self.stop_gradient else inputs, self.reconstruct(inputs)
        score = self.score(features if self.score_form == "paper" else kept, training)
        weighed = features if self.score_form == "2021" else kept
        return score * tf.cast(l2_normalize(weighed), score.dtype), {"score": score}

    def get_config(self):
        return {**super().get_config(), "autoencoder_dim": self.autoencoder_dim, "stop_gradient": self.stop_gradient,
                "score_form": self.score_form}


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class DELGLocalBranch(tf.keras.layers.Layer):
    """Local features, their scores, and what trains both, without a gradient to the backbone.

    See the attention block `DELG` for the equations.

    Args:
        hidden: Filters of the score's first convolution.
        autoencoder_dim: D, channels of the local features.
        score_form: See `DELG`.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        (local features z [B, H, W, D], not normalised; scores [B, H, W, 1]; mean over locations of score times
        direction, float32 [B, C]; reconstruction error, float32 [B]).
    """

    def __init__(self, hidden: int = 512, autoencoder_dim: int = 128, score_form: str = "paper", **kwargs):
        super().__init__(**kwargs)
        self.attention = DELG(hidden, autoencoder_dim, stop_gradient=True, return_maps=True, score_form=score_form,
                              dtype=self.dtype_policy, name="delg")

    def build(self, input_shape):
        self.attention.build(input_shape)
        super().build(input_shape)

    def call(self, inputs, training=None):
        local_features = self.attention.reduce(tf.stop_gradient(inputs))
        attended, maps = self.attention(inputs, training=training)
        vectors = tf.reduce_mean(tf.cast(attended, tf.float32), axis=(1, 2))
        return local_features, maps["score"], vectors, self.attention.reconstruction_error(inputs)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = tf.TensorShape(input_shape)
        return tuple(map(tf.TensorShape, ([batch, height, width, self.attention.autoencoder_dim],
                                          [batch, height, width, 1], [batch, channels], [batch])))

    def get_config(self):
        return {**super().get_config(), "hidden": self.attention.hidden,
                "autoencoder_dim": self.attention.autoencoder_dim, "score_form": self.attention.score_form}
