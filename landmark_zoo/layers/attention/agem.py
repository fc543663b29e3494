"""The attention unit of AGeM (Gu et al.: Attention-aware Generalized Mean Pooling for Image Retrieval,
arXiv:1811.00202, 2018)."""

import tensorflow as tf

from landmark_zoo.layers.attention.base import Attention, channels_of


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class AGeMAttention(Attention):
    """Gates every element of the map by convolutions of the map itself.

        a = sigmoid(f(x)),    y = a x  (form "product")  or  y = x + a  (form "sum")

    f is one 1x1 convolution, as in the paper's units Att2_1 and Att2_2, or with `deep` the four of Att1 (3x3, 3x3, 1x1,
    1x1; 1024, 512, 512, 2048 filters at C = 2048; batch normalisation and ReLU between them). The paper multiplies
    within the network and adds at its last layer; generalised-mean pooling follows.

    Its full text was not at hand: the units are described after the notes of a third party, and where they attach is
    unverified. Our reading: Att1 takes conv4 with stride 2 and gates the first block of conv5, Att2_1 and Att2_2 the
    other two. Here every unit gates the map that it takes, so that the stride is 1.

    Args:
        form: "product" or "sum".
        deep: Whether f is the four convolutions of Att1 instead of one.
        return_maps: See `Attention`.
        **kwargs: Keras' own.

    Input shape, output shape:
        [B, H, W, C]; H and W may be unknown; with `deep`, C >= 4. The map "agem" is [B, H, W, C].
    """

    def __init__(self, form: str = "product", deep: bool = False, return_maps: bool = False, **kwargs):
        super().__init__(return_maps, **kwargs)
        if form not in ("product", "sum"):
            raise ValueError(f"AGeMAttention: expected form 'product' or 'sum'; received {form!r}.")
        self.form, self.deep = form, deep

    def build(self, input_shape):
        channels = width = channels_of(input_shape, "AGeMAttention", 4 if self.deep else 1)
        self.convolutions, self.normalisations = [], []
        hidden = ((channels // 2, 3), (channels // 4, 3), (channels // 4, 1)) if self.deep else ()
        for number, (filters, size) in enumerate(hidden, 1):
            convolution = tf.keras.layers.Conv2D(filters, size, padding="same", use_bias=False,
                                                 kernel_initializer="he_normal", dtype=self.dtype_policy,
                                                 name=f"conv{number}")
            normalisation = tf.keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=self.dtype_policy,
                                                               name=f"bn{number}")
            convolution.build([None, None, None, width])
            normalisation.build([None, None, None, filters])
            self.convolutions.append(convolution)
            self.normalisations.append(normalisation)
            width = filters
        self.gate = tf.keras.layers.Conv2D(channels, 1, activation="sigmoid", dtype=self.dtype_policy, name="gate")
        self.gate.build([None, None, None, width])
        super().build(input_shape)

    def attend(self, inputs, training=None):
        features = inputs
        for convolution, normalisation in zip(self.convolutions, self.normalisations, strict=True):
            features = tf.nn.relu(normalisation(convolution(features), training=training))
        gate = self.gate(features)
        return gate * inputs if self.form == "product" else inputs + gate, {"agem": gate}

    def get_config(self):
        return {**super().get_config(), "form": self.form, "deep": self.deep}
