"""The attention branch (Fukui, Hirakawa, Yamashita, Fujiyoshi: Attention Branch Network: Learning of Attention
Mechanism for Visual Explanation, CVPR 2019, section 3; details as in the authors' code).
"""

import tensorflow as tf

from landmark_zoo.layers.attention.base import channels_of

MOST_CLASSES = 10_000  # without a bottleneck; the square of it is 100 million parameters


def branch_parameters(channels: int, num_classes: int) -> int:
    """Returns how many trainable parameters the plain branch behind its trunk has: 2C + KC + 2K + K^2 + 9K + 2."""
    return 2 * channels + num_classes * (channels + num_classes + 11) + 2


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class AttentionBranch(tf.keras.layers.Layer):
    """Classifies the feature map on the side and weighs it by where the classes are seen.

        a = relu(BN(U BN(trunk(x))))            [H, W, K]: one response map per class
        logits = V mean_hw(a)                   a 1x1 convolution K -> K, then the mean over any size of map
        M = sigmoid(BN(conv(a)))                [H, W, 1]
        y = (1 + M) x  ("residual")  or  M x  ("product")

    y goes on to the rest of the network, whose own logits are the second to be trained; the paper adds the two
    cross-entropies with weight 1 each. No convolution has a bias. V and the mean are exchanged, which is the same and
    needs H W times fewer multiply-accumulates. The authors fix the size of the map at 14 x 14; here any does.

    V has K^2 parameters, too many for tens of thousands of classes. With `bottleneck` P the responses are those of P
    pseudo-classes and V is P -> K. This is ours, not the paper's.

    Args:
        num_classes: K.
        trunk: A layer or model of stride 1 from feature map to feature map, in the paper a copy of the last ResNet
            stage; None for none. It is saved with the branch.
        mechanism: "residual" (the paper's choice) or "product".
        map_size: Side of the convolution that makes M: 3 as in the authors' code, or 1 as in the paper's figure.
        bottleneck: P, e.g. 256 to 512; None for the plain branch, which is refused past 10,000 classes.
        **kwargs: Keras' own.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        (y [B, H, W, C], logits float32 [B, K], {"abn": M [B, H, W, 1]}).
    """

    def __init__(self, num_classes: int, trunk: tf.keras.layers.Layer | None = None, mechanism: str = "residual",
                 map_size: int = 3, bottleneck: int | None = None, **kwargs):
        super().__init__(**kwargs)
        if num_classes < 2 or mechanism not in ("residual", "product") or map_size not in (1, 3):
            raise ValueError(f"AttentionBranch: expected num_classes >= 2, mechanism 'residual' or 'product' and "
                             f"map_size 1 or 3; received {num_classes}, {mechanism!r} and {map_size}.")
        if bottleneck is not None and not 1 <= bottleneck <= num_classes:
            raise ValueError(f"AttentionBranch: expected 1 <= bottleneck <= num_classes; "
                             f"received bottleneck={bottleneck}, num_classes={num_classes}.")
        self.num_classes, self.trunk, self.mechanism = num_classes, trunk, mechanism
        self.map_size, self.bottleneck = map_size, bottleneck

    def build(self, input_shape):
        channels = self._build_trunk(channels_of(input_shape, "AttentionBranch"))
        if self.bottleneck is None and self.num_classes > MOST_CLASSES:
            billions = branch_parameters(channels, self.num_classes) / 1e9
            raise ValueError(f"AttentionBranch: expected at most {MOST_CLASSES:,} classes or a bottleneck of e.g. 256 "
                             f"to 512; received {self.num_classes:,} classes, at which the branch with its plain "
                             f"K x K convolution has {billions:.1f} billion parameters.")
        width = self.bottleneck or self.num_classes
        self.trunk_norm = self._normalisation(channels, "trunk_bn")
        self.respond = self._convolution(channels, width, 1, "responses")
        self.respond_norm = self._normalisation(width, "responses_bn")
        self.classify = tf.keras.layers.Dense(self.num_classes, use_bias=False, dtype="float32", name="logits")
        self.classify.build([None, width])
        self.to_map = self._convolution(width, 1, self.map_size, "map")
        self.map_norm = self._normalisation(1, "map_bn")
        super().build(input_shape)

    def _build_trunk(self, channels: int) -> int:
        """Builds the trunk where that is still to be done, and returns how many channels leave it."""
        if self.trunk is None:
            return channels
        if not self.trunk.built:
            self.trunk.build([None, None, None, channels])
        shape = tf.TensorShape(self.trunk.compute_output_shape([None, 32, 32, channels]))
        if shape[1:3] != [32, 32]:
            raise ValueError(f"AttentionBranch: expected a trunk of stride 1; received one that makes {shape} of "
                             f"(None, 32, 32, {channels}).")
        return int(shape[-1])

    def _convolution(self, channels: int, filters: int, size: int, name: str) -> tf.keras.layers.Conv2D:
        layer = tf.keras.layers.Conv2D(filters, size, padding="same", use_bias=False, kernel_initializer="he_normal",
                                       dtype=self.dtype_policy, name=name)
        layer.build([None, None, None, channels])
        return layer

    def _normalisation(self, channels: int, name: str) -> tf.keras.layers.BatchNormalization:
        layer = tf.keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=self.dtype_policy, name=name)
        layer.build([None, None, None, channels])
        return layer

    def call(self, inputs, training=None):
        features = inputs if self.trunk is None else self.trunk(inputs)
        features = self.respond(self.trunk_norm(features, training=training))
        responses = tf.nn.relu(self.respond_norm(features, training=training))
        logits = self.classify(tf.reduce_mean(tf.cast(responses, tf.float32), axis=(1, 2)))
        attention = tf.sigmoid(self.map_norm(self.to_map(responses), training=training))
        attended = (1 + attention) * inputs if self.mechanism == "residual" else attention * inputs
        return attended, logits, {"abn": attention}

    def compute_output_shape(self, input_shape):
        shape = tf.TensorShape(input_shape)
        return shape, tf.TensorShape([shape[0], self.num_classes]), {"abn": tf.TensorShape([*shape[:3], 1])}

    def get_config(self):
        trunk = None if self.trunk is None else tf.keras.saving.serialize_keras_object(self.trunk)
        return {**super().get_config(), "num_classes": self.num_classes, "trunk": trunk, "mechanism": self.mechanism,
                "map_size": self.map_size, "bottleneck": self.bottleneck}

    @classmethod
    def from_config(cls, config):
        """Makes the branch and its trunk again."""
        trunk = config["trunk"] and tf.keras.saving.deserialize_keras_object(config["trunk"])
        return cls(**{**config, "trunk": trunk})
