"""Bottleneck attention module (Park et al.: BAM, BMVC 2018, section 3)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class BAM(Attention):
    """Weighs each channel of each location by one gate from a channel branch and a spatial branch side by side.

        y = x + x sigmoid(M_c o M_s)

    M_c [B, 1, 1, C] is an MLP of the mean over locations; M_s [B, H, W, 1] is a 1 x 1 convolution to C / r channels,
    two dilated 3 x 3 convolutions and a 1 x 1 convolution to one channel. The authors' code and their paper differ:

        "product", the code: o multiplies, and each hidden layer has batch normalisation and a ReLU.
        "sum", the paper: o adds, and each branch ends with batch normalisation. The paper's equations show no ReLU; we
            keep one after each hidden layer, without which the convolutions would be one linear map.

    The mean is taken over all locations; the authors' code pools squares of the map's height. Neither form starts as
    identity: with all weights zero y = 1.5 x.

    Args:
        form: "product" or "sum".
        reduction: r (16 in the paper).
        dilation: Dilation of the two 3 x 3 convolutions (4 in the paper).
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; C >= reduction. The map "bam" is the gate, [B, H, W, C].
    """

    def __init__(self, form: str = "product", reduction: int = 16, dilation: int = 4, return_maps: bool = False,
                 **kwargs):
        super().__init__(return_maps, **kwargs)
        if form not in ("product", "sum") or reduction < 1 or dilation < 1:
            raise ValueError("BAM: expected form 'product' or 'sum', reduction >= 1 and dilation >= 1; "
                             f"received form={form!r}, reduction={reduction}, dilation={dilation}.")
        self.form, self.reduction, self.dilation = form, reduction, dilation

    def build(self, input_shape):
        channels = channels_of(input_shape, "BAM", self.reduction)
        hidden = channels // self.reduction
        self.channel = self._branch("channel", [None, 1, 1, channels], [(hidden, 1, 1), (channels, 1, 1)])
        self.spatial = self._branch("spatial", [None, None, None, channels],
                                    [(hidden, 1, 1), *2 * [(hidden, 3, self.dilation)], (1, 1, 1)])
        super().build(input_shape)

    def _branch(self, name, shape, convolutions):
        """Returns the built layers of a branch, given (filters, kernel size, dilation) of its convolutions."""
        layers = []
        for index, (filters, size, dilation) in enumerate(convolutions, start=1):
            last = index == len(convolutions)
            layers.append(tf.keras.layers.Conv2D(filters, size, padding="same", dilation_rate=dilation,
                                                 kernel_initializer="he_normal", dtype=self.dtype_policy,
                                                 name=f"{name}_convolution_{index}"))
            if last == (self.form == "sum"):
                layers.append(tf.keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=self.dtype_policy,
                                                                 name=f"{name}_norm_{index}"))
            if not last:
                layers.append(tf.keras.layers.ReLU(dtype=self.dtype_policy, name=f"{name}_relu_{index}"))
        for layer in layers:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        return layers

    def attend(self, inputs, training=None):
        channel = tf.reduce_mean(tf.cast(inputs, tf.float32), axis=(1, 2), keepdims=True)
        spatial = inputs
        for layer in self.channel:
            channel = layer(channel, training=training)
        for layer in self.spatial:
            spatial = layer(spatial, training=training)
        gate = tf.sigmoid(channel * spatial if self.form == "product" else channel + spatial)
        return inputs + gate * inputs, {"bam": gate}

    def get_config(self):
        return {**super().get_config(), "form": self.form, "reduction": self.reduction, "dilation": self.dilation}
