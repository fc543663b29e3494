"""Where in a backbone attention blocks stand."""

import tensorflow as tf

from landmark_zoo.backbones.spec import BackboneSpec
from landmark_zoo.core.errors import UserError

PLACEMENTS = ("end", "stages", "blocks", "convolutions")


def places(network: tf.keras.Model, spec: BackboneSpec, placement: str) -> dict[str, str]:
    """Returns the layers of a backbone whose outputs are attended or which attention replaces.

    * "stages": the taps that `network` contains, C3 to C5. What follows a tap sees the attended feature map.
    * "blocks": the end of each residual branch, just before its addition to the shortcut, as in SE-ResNet (Hu et al.,
      CVPR 2018, figure 3). Of an addition's two inputs the branch is the one with more layers between it and the image.
      Where stochastic depth drops the branch (EfficientNet), the place is before the drop: a dropped branch stays zero.
    * "convolutions": the 3x3 convolutions of stride 1 and without groups in the stages C3 to C5, for attention that replaces
      them. In a ResNet, where the paper of AA-Net counts its stages 2 to 4 (Bello et al., ICCV 2019, section 4), these are
      the 3x3 of every bottleneck from "conv3" on, and in ResNet-18 all but the strided ones.

    Args:
        network: Made by `build_backbone`.
        spec: Its row of the table.
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
    branches = _residual_branches(network)
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
        if not isinstance(layer, tf.keras.layers.Add):
            continue
        shortcut, branch = sorted(inputs, key=lambda tensor: depths[id(tensor)])
        if depths[id(shortcut)] == depths[id(branch)]:
            raise ValueError(f"places: expected a branch longer than its shortcut; received equal ones at {layer.name}.")
        while isinstance(makers[id(branch)], tf.keras.layers.Dropout):
            branch = makers[id(branch)].input
        branches[makers[id(branch)].name] = layer.name.removesuffix("_add")
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
