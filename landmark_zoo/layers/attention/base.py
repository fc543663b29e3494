"""Base class of the attention blocks."""

import abc

import tensorflow as tf

Maps = dict[str, tf.Tensor]
GATE, SHARE, SCORE, SIGNED = "gate", "share", "score", "signed"
MAP_KINDS = {
    GATE: "a factor from 0 to 1",
    SHARE: "what a location or channel receives of all attention, 1 where all receive the same",
    SCORE: "a weight of 0 or more, of which only the ratios count",
    SIGNED: "a number of any sign and size, 0 for no effect",
}


class Attention(tf.keras.layers.Layer, abc.ABC):
    """A block that takes a feature map and gives one of the same shape.

    A method is a subclass with one function, `attend`. The maps that it multiplies with can be had as well: they are what
    overlays show and what a model lists as `attention/<name>`.

    Args:
        return_maps: Whether a call returns `(attended, maps)` instead of `attended` alone.
        **kwargs: Keras' own: `name`, `dtype`, `trainable`.

    Input shape:
        [B, H, W, C]; H and W may be unknown.

    Output shape:
        [B, H, W, C]. The maps are [B, 1 or H, 1 or W, 1 or C]; `registry.map_kinds` says what their values mean.

    Example:
        >>> from landmark_zoo.layers import SqueezeExcitation
        >>> attended, maps = SqueezeExcitation(reduction=2, return_maps=True)(tf.ones([1, 7, 5, 8]))
        >>> attended.shape, maps["se"].shape
        (TensorShape([1, 7, 5, 8]), TensorShape([1, 1, 1, 8]))
    """

    def __init__(self, return_maps: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.return_maps = return_maps

    @abc.abstractmethod
    def attend(self, inputs: tf.Tensor, training: bool | None = None) -> tuple[tf.Tensor, Maps]:
        """Returns the attended feature map [B, H, W, C] and the attention maps by name."""

    def call(self, inputs, training=None):
        as_written = tf.autograph.experimental.do_not_convert(self.attend)  # no block branches on a tensor's value
        attended, maps = as_written(inputs, training=training)
        return (attended, maps) if self.return_maps else attended

    def compute_output_shape(self, input_shape):
        return tf.TensorShape(input_shape)

    def get_config(self):
        return {**super().get_config(), "return_maps": self.return_maps}


def channels_of(input_shape, layer: str, divisor: int = 1) -> int:
    """Returns the static channel count of a [B, H, W, C] shape.

    Raises:
        ValueError: Not four axes, channels unknown, or fewer than `divisor` of them.
    """
    shape = tf.TensorShape(input_shape)
    if shape.rank != 4 or shape[-1] is None or shape[-1] < divisor:
        raise ValueError(f"{layer}: expected [batch, height, width, channels >= {divisor}]; received shape {shape}.")
    return int(shape[-1])
