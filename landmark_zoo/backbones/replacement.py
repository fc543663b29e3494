"""Convolutions of a network that is already there, replaced by attention.

As AA-Net (Bello et al., ICCV 2019, section 4) and SAN (Zhao et al., CVPR 2020, section 4) do with the 3x3 convolutions of
a ResNet.
"""

from collections.abc import Mapping

import tensorflow as tf

from landmark_zoo.backbones.rebuild import rebuild
from landmark_zoo.layers.attention import Attention
from landmark_zoo.layers.attention.aa import AttentionAugmentedConvolution
from landmark_zoo.layers.attention.base import Maps


def replace_convolutions(network: tf.keras.Model, layers: Mapping[str, Attention]) -> tf.keras.Model:
    """Rebuilds a network with attention in the place of some of its convolutions; all other layers keep their weights.

    Zero padding that a layer of its own puts before a replaced convolution goes with it: attention takes care of its
    borders itself, SAN's by reflection, repeated where a map is smaller than half its footprint (see `san.reflect`), so that
    pictures of every size remain allowed. An activation inside the convolution stays, as the layer
    "<attention layer>_activation".

    New layers start at random, with one exception: the convolution that an `AttentionAugmentedConvolution` keeps, of
    F - dv filters, starts as the first F - dv filters of the replaced one, pretrained or not, if their kernels are of one
    size.

    Args:
        network: See `rebuild`, which also says what becomes of it.
        layers: From the name of a convolution to what stands in for it, made with `return_maps=True` and the convolution's
            number of filters.

    Returns:
        A model of the same name and outputs, and beside them "attention/<layer's name>/<map>" for every map.

    Raises:
        ValueError: Not a convolution that keeps height and width, a layer that gives other channels, or see `rebuild`.
    """
    makers = {id(layer.output): layer for layer in network.layers}
    paddings = [_padding(layer, makers) for layer in network.layers if layer.name in layers]
    return rebuild(network, layers, _instead, left_out={padding.name for padding in paddings if padding is not None})


def _padding(convolution: tf.keras.layers.Layer, makers: Mapping[int, tf.keras.layers.Layer]):
    """Returns the layer that pads for a convolution; None if it pads for itself."""
    if type(convolution) is tf.keras.layers.Conv2D and set(convolution.strides) == {1}:
        if convolution.padding == "same":
            return None
        before = makers[id(convolution.input)]
        needed = tuple((size // 2, size // 2) for size in convolution.kernel_size)
        if (isinstance(before, tf.keras.layers.ZeroPadding2D) and before.padding == needed
                and len(before.outbound_nodes) == 1 and set(convolution.dilation_rate) == {1}):
            return before
    raise ValueError("replace_convolutions: expected convolutions of stride 1 that keep height and width, by padding of "
                     f"their own; received {convolution.name} ({type(convolution).__name__}).")


def _instead(convolution: tf.keras.layers.Conv2D, layer: Attention, inputs: tf.Tensor) -> tuple[tf.Tensor, Maps]:
    features, maps = layer(inputs)
    if features.shape[-1] != convolution.filters:
        raise ValueError(f"replace_convolutions: expected {convolution.filters} filters for {convolution.name}; "
                         f"received {layer.name}, which gives {features.shape[-1]}.")
    if isinstance(layer, AttentionAugmentedConvolution):
        _start_as(layer.convolution, convolution)
    if convolution.activation is not tf.keras.activations.linear:
        features = tf.keras.layers.Activation(convolution.activation, name=f"{layer.name}_activation")(features)
    return features, maps


def _start_as(kept: tf.keras.layers.Conv2D | None, replaced: tf.keras.layers.Conv2D) -> None:
    if kept is None or kept.kernel.shape[:3] != replaced.kernel.shape[:3]:
        return
    kept.kernel.assign(replaced.kernel[..., :kept.filters])
    if replaced.use_bias:
        kept.bias.assign(replaced.bias[:kept.filters])
