"""Gather-excite (Hu et al.: Gather-Excite, NeurIPS 2018, section 3)."""

import math

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


def global_mean(features: tf.Tensor) -> tf.Tensor:
    """Returns the mean over all locations, float32 [B, 1, 1, C]."""
    return tf.reduce_mean(tf.cast(features, tf.float32), axis=(1, 2), keepdims=True)


def neighborhood_mean(features: tf.Tensor, extent: int) -> tf.Tensor:
    """Returns means over windows of side 2 extent - 1, centred on every extent-th location and cut off at the border.

    Args:
        features: [B, H, W, C].
        extent: e >= 1.

    Returns:
        float32 [B, ceil(H / e), ceil(W / e), C].
    """
    features = tf.cast(features, tf.float32)
    border = [[0, 0], [extent - 1] * 2, [extent - 1] * 2, [0, 0]]

    def window_mean(x):
        return tf.nn.avg_pool2d(tf.pad(x, border), 2 * extent - 1, extent, "VALID")

    return window_mean(features) / window_mean(tf.ones_like(features[:1, :, :, :1]))


def upsample_nearest(features: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Repeats cells: row i of H takes row floor(i h / H) of h, and columns alike; H need not be a multiple of h.

    This is PyTorch's rule. `tf.image.resize` takes pixel centres and differs where H is not a multiple. The product is
    computed in float32: exact up to 120 rows, beyond that a row may now and then take the cell before.

    Args:
        features: [B, h, w, C].
        size: int32 [2], H and W.

    Returns:
        [B, H, W, C].
    """
    return tf.raw_ops.ResizeNearestNeighbor(images=features, size=size, half_pixel_centers=False)


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class GatherExcite(Attention):
    """Weighs each channel by a gate gathered from that channel's own neighbourhood.

        y = x sigmoid(upsample(gather(x)))

    "theta_minus" gathers by the mean and has no weights. "theta" gathers by depthwise convolutions with batch
    normalisation: log2(e) of 3 x 3 and stride 2, padded by one on each side, with a ReLU between any two; or, with
    extent 0, a single one as large as the map. "theta_plus" follows that by a ReLU and an MLP over the channels as in
    squeeze-and-excitation; the authors' network has it with extent 0 only, here it goes with any. The gate starts near
    0.5, not at identity.

    Args:
        variant: "theta_minus", "theta" or "theta_plus".
        extent: e, 2, 4, 8, ...: the gathered map is ceil(H / e) x ceil(W / e). 0 is global: one value per channel.
        reduction: r of the MLP of "theta_plus" (16 in the paper).
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown, but for "theta" and "theta_plus" with extent 0, which are tied to the map
        size they are built for. The map "ge" is [B, H, W, C], or [B, 1, 1, C] with extent 0.

    Raises:
        ValueError: Extent 0 of "theta" or "theta_plus" with unknown H or W, or with others than it was built for.
    """

    def __init__(self, variant: str = "theta", extent: int = 8, reduction: int = 16, return_maps: bool = False,
                 **kwargs):
        super().__init__(return_maps, **kwargs)
        if variant not in ("theta_minus", "theta", "theta_plus") or reduction < 1:
            raise ValueError("GatherExcite: expected variant 'theta_minus', 'theta' or 'theta_plus' and "
                             f"reduction >= 1; received variant={variant!r}, reduction={reduction}.")
        if extent != 0 and (extent < 2 or extent & (extent - 1)):
            raise ValueError("GatherExcite: expected extent 0 (global) or a power of two, 2 or more; "
                             f"received {extent}.")
        self.variant, self.extent, self.reduction = variant, extent, reduction

    def build(self, input_shape):
        channels = channels_of(input_shape, "GatherExcite", self.reduction if self.variant == "theta_plus" else 1)
        self.map_size = None
        if self.variant != "theta_minus" and self.extent == 0:
            self.map_size = self._check_map_size(input_shape)
        self.gather = self._gather_layers()
        if self.variant == "theta_plus":
            self.gather += self._mlp_layers(channels)
        shape = input_shape
        for layer in self.gather:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        super().build(input_shape)

    def _check_map_size(self, shape) -> tuple[int, int]:
        size = tuple(tf.TensorShape(shape)[1:3])
        if None in size or self.map_size not in (None, size):
            expected = f"height and width {self.map_size} as built" if self.map_size else "known height and width"
            raise ValueError(f"GatherExcite: {self.variant} with extent 0 has a weight for each location of a map: "
                             f"expected {expected}; received shape {tf.TensorShape(shape)}. "
                             "Extents 2, 4, 8 take any size.")
        return size

    def _gather_layers(self) -> list[tf.keras.layers.Layer]:
        if self.variant == "theta_minus":
            return []
        if self.extent == 0:
            steps, kernel, stride = 1, self.map_size, 1
        else:
            steps, kernel, stride = int(math.log2(self.extent)), (3, 3), 2
        stddev = math.sqrt(2 / math.prod(kernel))
        layers = []
        for step in range(1, steps + 1):
            if stride == 2:
                layers.append(tf.keras.layers.ZeroPadding2D(1, dtype=self.dtype_policy, name=f"padding_{step}"))
            layers.append(tf.keras.layers.DepthwiseConv2D(
                kernel, stride, use_bias=False, depthwise_initializer=tf.keras.initializers.RandomNormal(stddev=stddev),
                dtype=self.dtype_policy, name=f"gather_{step}"))
            layers.append(tf.keras.layers.BatchNormalization(momentum=0.95, epsilon=1e-5, dtype=self.dtype_policy,
                                                             name=f"norm_{step}"))
            if step < steps or self.variant == "theta_plus":
                layers.append(tf.keras.layers.ReLU(dtype=self.dtype_policy, name=f"relu_{step}"))
        return layers

    def _mlp_layers(self, channels: int) -> list[tf.keras.layers.Layer]:
        sizes = (("squeeze", channels // self.reduction, "relu"), ("excite", channels, None))
        return [tf.keras.layers.Dense(units, activation, name=name, dtype=self.dtype_policy,
                                      kernel_initializer=tf.keras.initializers.RandomNormal(stddev=0.01))
                for name, units, activation in sizes]

    def attend(self, inputs, training=None):
        if self.map_size:
            self._check_map_size(inputs.shape)
        gathered = inputs
        for layer in self.gather:
            gathered = layer(gathered, training=training)
        if self.variant == "theta_minus":
            gathered = neighborhood_mean(inputs, self.extent) if self.extent else global_mean(inputs)
        gate = tf.cast(tf.sigmoid(gathered), inputs.dtype)
        if self.extent:
            gate = upsample_nearest(gate, tf.shape(inputs)[1:3])
        return gate * inputs, {"ge": gate}

    def get_config(self):
        return {**super().get_config(), "variant": self.variant, "extent": self.extent, "reduction": self.reduction}
