"""Global context block (Cao et al.: GCNet, ICCV Workshops 2019, sections 3.3-3.4, equations 5-6)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


def spatial_softmax(logits: tf.Tensor) -> tf.Tensor:
    """Returns the softmax over all locations, in float32.

    Args:
        logits: [B, H, W, 1].

    Returns:
        float32 [B, H, W, 1], summing to 1 over the locations of each image.
    """
    shape = tf.shape(logits)
    flat = tf.reshape(tf.cast(logits, tf.float32), [shape[0], shape[1] * shape[2]])
    return tf.reshape(tf.nn.softmax(flat), shape)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GlobalContext(Attention):
    """Fuses one context vector, a weighted mean of all locations, into each location.

        c = sum_n softmax_n(w_k x_n + b_k) x_n,    t = W2 relu(LN(W1 c + b1)) + b2
        y = x + t  ("add")   or   y = x sigmoid(t)  ("mul")

    W2 and b2 start at zero, as in the authors' code: "add" starts as identity, "mul" at 0.5 x.

    Args:
        fusion: "add" (the paper's choice) or "mul".
        reduction: r, by how much the hidden layer is narrower than the channels (16 in the paper).
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C >= 2 reduction, because the normalisation of a single hidden unit would
        leave nothing of the context. The map "context" is float32 [B, H, W, 1], 1 where a location weighs as much as in
        a plain mean; with "mul" there is "gc", the gate [B, 1, 1, C], too.
    """

    def __init__(self, fusion: str = "add", reduction: int = 16, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if fusion not in ("add", "mul") or reduction < 1:
            raise ValueError("GlobalContext: expected fusion 'add' or 'mul' and reduction >= 1; "
                             f"received fusion={fusion!r}, reduction={reduction}.")
        self.fusion, self.reduction = fusion, reduction

    def build(self, input_shape):
        channels = channels_of(input_shape, "GlobalContext", 2 * self.reduction)
        hidden = channels // self.reduction
        self.mask = tf.keras.layers.Conv2D(1, 1, kernel_initializer="he_normal", dtype=self.dtype_policy, name="mask")
        self.squeeze = tf.keras.layers.Dense(hidden, kernel_initializer="he_normal", dtype=self.dtype_policy,
                                             name="squeeze")
        self.norm = tf.keras.layers.LayerNormalization(epsilon=1e-5, dtype=self.dtype_policy, name="norm")
        self.excite = tf.keras.layers.Dense(channels, kernel_initializer="zeros", dtype=self.dtype_policy,
                                            name="excite")
        self.mask.build([None, None, None, channels])
        self.squeeze.build([None, 1, 1, channels])
        self.norm.build([None, 1, 1, hidden])
        self.excite.build([None, 1, 1, hidden])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        weights = spatial_softmax(self.mask(inputs))
        context = tf.einsum("bhwk,bhwc->bkc", weights, tf.cast(inputs, tf.float32))[:, tf.newaxis]
        transformed = self.excite(tf.nn.relu(self.norm(self.squeeze(context))))
        maps = {"context": weights * tf.cast(tf.reduce_prod(tf.shape(inputs)[1:3]), tf.float32)}
        if self.fusion == "add":
            return inputs + transformed, maps
        gate = tf.sigmoid(transformed)
        return gate * inputs, {**maps, "gc": gate}

    def get_config(self):
        return {**super().get_config(), "fusion": self.fusion, "reduction": self.reduction}
