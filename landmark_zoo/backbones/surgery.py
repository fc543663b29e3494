"""Insertion of attention blocks into a backbone, and replacement of its convolutions by attention.

Replacement follows AA-Net (Bello et al., ICCV 2019, section 4) and SAN (Zhao et al., CVPR 2020, section 4), which do so with
the 3x3 convolutions of a ResNet.
"""

from collections.abc import Callable, Collection, Mapping

import tensorflow as tf

from landmark_zoo.backbones.registry import BackboneSpec
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.aa import AttentionAugmentedConvolution
from landmark_zoo.layers.attention.base import Attention, Maps

PLACEMENTS = ("end", "stages", "blocks", "convolutions")
Apply = Callable[[tf.keras.layers.Layer, Attention, tf.Tensor], tuple[tf.Tensor, Maps]]


def insert_blocks(model: tf.keras.Model, blocks: Mapping[str, Attention], apply: Apply | None = None,
                  left_out: Collection[str] = ()) -> tf.keras.Model:
    """Rebuilds a network so that what follows a layer sees that layer's output attended.

    All layers are called again, in order, and a model is made of the result. The layers are those of `model` themselves:
    weights are shared, not copied. They have been called twice after this, once in each model, so that Keras'
    `layer.output` is no longer defined; `model` itself works on.

    Args:
        model: Functional model with a dict of outputs, each of whose layers is called once, with tensors alone.
        blocks: Name of a layer of `model` to the block on its output, made with `return_maps=True`.
        apply: Function (layer, block, the layer's input) -> (what the following layers see, the block's maps by name),
            called wherever there is a block; None calls the block on the layer's output.
        left_out: Names of layers whose input is passed on as it is.

    Returns:
        A model of the same name and outputs; an output that was a named layer's is the attended one. Beside them stand
        "attention/<block's name>/<map>" for every map of every block.

    Raises:
        ValueError: A name that is no layer, a layer that is shared or takes more than tensors, or a block that refuses the
            feature map.
    """
    _check(model, {*blocks, *left_out})
    rebuilt, maps = {}, {}
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.InputLayer):
            rebuilt[id(layer.output)] = layer.output
            continue
        before = layer.output
        features = tf.nest.map_structure(lambda tensor: rebuilt[id(tensor)], layer.input)
        if layer.name in blocks:
            block = blocks[layer.name]
            features, found = block(layer(features)) if apply is None else apply(layer, block, features)
            maps |= {f"attention/{block.name}/{name}": values for name, values in found.items()}
        elif layer.name not in left_out:
            features = layer(features)
        rebuilt[id(before)] = features
    outputs = {name: rebuilt[id(tensor)] for name, tensor in model.output.items()}
    return tf.keras.Model(model.input, {**outputs, **maps}, name=model.name)


def _check(model: tf.keras.Model, names: Collection[str]) -> None:
    unknown = sorted(set(names) - {layer.name for layer in model.layers})
    if unknown:
        raise ValueError(f"insert_blocks: expected layers of {model.name}; received {', '.join(unknown)}.")
    for layer in model.layers:
        calls = layer.inbound_nodes
        tensors_alone = isinstance(layer, tf.keras.layers.InputLayer) or all(
            len(call.call_args) == 1 and not call.call_kwargs for call in calls)
        if len(calls) != 1 or not tensors_alone:
            raise ValueError("insert_blocks: expected layers that are called once, with tensors alone; "
                             f"received {layer.name} of {model.name}, called {len(calls)} times.")


def replace_convolutions(network: tf.keras.Model, layers: Mapping[str, Attention]) -> tf.keras.Model:
    """Rebuilds a network with attention in the place of some of its convolutions; all other layers keep their weights.

    Zero padding that a layer of its own puts before a replaced convolution goes with it: attention takes care of its
    borders itself, SAN's by reflection, repeated where a map is smaller than half its footprint (see `san.reflect`), so that
    images of every size remain allowed. An activation inside the convolution stays, as the layer
    "<attention layer>_activation".

    New layers start at random, with one exception: the convolution that an `AttentionAugmentedConvolution` keeps, of
    F - dv filters, starts as the first F - dv filters of the replaced one, pretrained or not, if their kernels are of one
    size.

    Args:
        network: Functional model as `insert_blocks` takes it; what becomes of it is told there.
        layers: From the name of a convolution to what stands in for it, made with `return_maps=True` and the convolution's
            number of filters.

    Returns:
        A model of the same name and outputs, and beside them "attention/<layer's name>/<map>" for every map.

    Raises:
        ValueError: Not a convolution that keeps height and width, a layer that gives other channels, or see `insert_blocks`.
    """
    makers = {id(layer.output): layer for layer in network.layers}
    paddings = [_padding(layer, makers) for layer in network.layers if layer.name in layers]
    return insert_blocks(network, layers, _instead, left_out={padding.name for padding in paddings if padding is not None})


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


def places(network: tf.keras.Model, spec: BackboneSpec, placement: str) -> dict[str, str]:
    """Returns the layers of a backbone whose outputs are attended or which attention replaces.

    * "stages": the taps that `network` contains, C3 to C5. What follows a tap sees the attended feature map.
    * "blocks": the end of each residual branch, just before its addition to the shortcut, as in SE-ResNet (Hu et al.,
      CVPR 2018, figure 3). Of an addition's two inputs the branch is the one with more layers between it and the image.
      Where stochastic depth drops the branch (EfficientNet), the place is before the drop: a dropped branch stays zero.
      The branches of a transformer are no places: they end in tokens, not in a feature map.
    * "convolutions": the 3x3 convolutions of stride 1 and without groups in the stages C3 to C5, for attention that replaces
      them. In a ResNet, where the paper of AA-Net counts its stages 2 to 4 (Bello et al., ICCV 2019, section 4), these are
      the 3x3 of every bottleneck from "conv3" on, and in ResNet-18 all but the strided ones.

    Args:
        network: Made by `build_backbone`.
        spec: Row of the network in the table.
        placement: "stages", "blocks" or "convolutions"; the place of "end" is behind the backbone, not in it.

    Returns:
        From the layer's name to the place's: "c3"; the name of the residual block, e.g. "conv4_block1"; or the name of the
        convolution, e.g. "conv4_block1_2".

    Raises:
        UserError: "blocks" of a backbone that has no residual branches, "convolutions" of one without such convolutions.
        ValueError: Another placement, or branches that cannot be told from their shortcuts.
    """
    if placement == "stages":
        names = {layer.name for layer in network.layers}
        return {layer: tap.lower() for tap, layer in spec.taps.items() if layer in names}
    if placement == "convolutions":
        convolutions = _convolutions(network, spec)
        if not convolutions:
            raise UserError("a backbone with whole 3x3 convolutions of stride 1 for placement 'convolutions'",
                            f"{spec.name}, which has none behind its first stages",
                            "Use another placement, or a ResNet or VGG16.")
        return convolutions
    if placement != "blocks":
        raise ValueError(f"places: expected placement in {PLACEMENTS[1:]}; received {placement!r}.")
    branches = _residual_branches(network) if spec.family != "nasnet" else {}  # its cells add branches, not a shortcut
    if not branches:
        raise UserError("a backbone with residual branches for placement 'blocks'", f"{spec.name}, which has none",
                        "Use placement 'stages', or a ResNet, MobileNetV2 or EfficientNet.")
    return branches


def _residual_branches(network: tf.keras.Model) -> dict[str, str]:
    makers, depths, branches = {}, {}, {}
    for layer in network.layers:
        inputs = tf.nest.flatten(layer.input)
        makers[id(layer.output)] = layer
        depths[id(layer.output)] = 1 + max(depths.get(id(tensor), 0) for tensor in inputs)
        if not isinstance(layer, tf.keras.layers.Add) or layer.output.shape.rank != 4:
            continue
        shortcut, branch = sorted(inputs, key=lambda tensor: depths[id(tensor)])
        if depths[id(shortcut)] == depths[id(branch)]:
            raise ValueError(f"places: expected a branch longer than its shortcut; received equal ones at {layer.name}.")
        while isinstance(makers[id(branch)], tf.keras.layers.Dropout):
            branch = makers[id(branch)].input
        branches[makers[id(branch)].name] = layer.name.removesuffix("_add").removesuffix("/Add")
    return branches


def _convolutions(network: tf.keras.Model, spec: BackboneSpec) -> dict[str, str]:
    strides, convolutions = {}, {}
    for layer in network.layers:
        before = max(strides.get(id(tensor), 1) for tensor in tf.nest.flatten(layer.input))
        stride = before * getattr(layer, "strides", (1, 1))[0]
        strides[id(layer.output)] = stride
        if (type(layer) is tf.keras.layers.Conv2D and layer.kernel_size == (3, 3) and layer.strides == (1, 1)
                and layer.groups == 1 and stride >= spec.strides["C3"]):
            convolutions[layer.name] = layer.name.removesuffix("_conv")
    return convolutions
