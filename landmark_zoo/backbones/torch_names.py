"""Names that the files of PyTorch projects give the layers of ResNets and of VGG-16: a row for each project.

They were read from the projects' code and from files that their own classes wrote.
"""

import dataclasses
import re
from collections.abc import Collection

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class ResNetNames:
    """Names of the tensors of a ResNet in the files of one project.

    Attributes:
        stem: First convolution and its BatchNorm.
        block: A block, of `{stage}` (1 to 4), `{child}` (the stage's place among torchvision's children, 4 to 7), `{named}`
            (see `stages`), `{block}` (from 0) and `{number}` (from 1).
        units: Convolution and BatchNorm of the shortcut, then of every convolution of the branch.
        stages: Names of the four stages, where they follow no rule.
    """

    stem: tuple[str, str]
    block: str
    units: tuple[tuple[str, str], ...]
    stages: tuple[str, ...] = ("",) * 4

    def of(self, layer: str) -> str:
        """Returns the prefix of the tensors of a layer.

        Example:
            >>> RESNETS["torchvision"].of("conv4_block1_0_bn"), RESNETS["pycls"].of("conv2_block3_2_conv")
            ('layer3.0.downsample.1', 's1.b3.f.b')
        """
        _, stage, block, unit, kind = _LAYER.fullmatch(layer).groups()
        if stage is None:
            return self.stem[kind == "bn"]
        stage, block = int(stage) - 1, int(block)
        name = self.block.format(stage=stage, child=stage + 3, named=self.stages[stage - 1], block=block - 1, number=block)
        return f"{name}.{self.units[int(unit)][kind == 'bn']}"

    def inside(self, prefix: str) -> "ResNetNames":
        """Returns the same names behind a prefix."""
        return dataclasses.replace(self, stem=tuple(prefix + name for name in self.stem), block=prefix + self.block)


_LAYER = re.compile(r"(conv1|conv(\d)_block(\d+)_(\d))_(conv|bn)")
_UNITS = (("downsample.0", "downsample.1"), ("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"))
_CHILDREN = ResNetNames(("0", "1"), "{child}.{block}", _UNITS)
_PYCLS = ResNetNames(("stem.conv", "stem.bn"), "s{stage}.b{number}",
                     (("proj", "bn"), ("f.a", "f.a_bn"), ("f.b", "f.b_bn"), ("f.c", "f.c_bn")))

RESNETS = {
    "torchvision": ResNetNames(("conv1", "bn1"), "layer{stage}.{block}", _UNITS),  # and timm, naver
    "features": _CHILDREN,  # the ImageNet features that cirtorch starts from
    "cirtorch": _CHILDREN.inside("features."),  # and HOW
    "cosplace": _CHILDREN.inside("backbone."),  # and EigenPlaces
    "solar": ResNetNames(("features.conv1.0", "features.conv1.1"), "features.{named}.{block}", _UNITS,
                         ("conv2_x.2", "conv3_x", "conv4_x", "conv5_x")),
    "pycls": _PYCLS,
    "cvnet": _PYCLS.inside("encoder_q."),  # and SuperGlobal
    "delg": _PYCLS.inside("globalmodel."),
}
"""Names of a ResNet in the files of each project; the first convolution tells which they are."""

UNUSED = ("fc", "adpool", "pool", "whiten", "dim_reduction", "aggregation", "features.soa4", "features.soa5", "head",
          "encoder_q.head", "conv2ds", "cv_learner", "globalmodel.head", "localmodel", "desc_cls", "att_cls", "classifier")
"""Prefixes of what stands behind the backbone in such files."""


def resnet_names(network: tf.keras.Model, tensors: Collection[str]) -> dict[str, str]:
    """Returns the names that a file of one of the projects in `RESNETS` gives the layers of a ResNet.

    Args:
        network: Made by `resnet_v15.resnet`, or such a one with blocks of attention, which have no names here.
        tensors: Names of the tensors in the file, which tell the project.

    Returns:
        From the name of each layer with weights to the prefix of its tensors; as torchvision has them where the file is of
        none of the projects.
    """
    names = next((row for row in RESNETS.values() if f"{row.stem[0]}.weight" in tensors), RESNETS["torchvision"])
    return {layer.name: names.of(layer.name) for layer in network.layers if layer.weights and _LAYER.fullmatch(layer.name)}


_VGG16 = dict(zip((f"block{block}_conv{number}" for block, convolutions in enumerate((2, 2, 3, 3, 3), start=1)
                   for number in range(1, convolutions + 1)),
                  (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), strict=True))


def vgg16_names(network: tf.keras.Model, tensors: Collection[str]) -> dict[str, str]:
    """Returns the names that a file of torchvision or cirtorch gives the layers of VGG-16.

    Args:
        network: Keras' VGG16 without its top.
        tensors: Names of the tensors in the file; the features that cirtorch starts from have no prefix.

    Returns:
        From the name of each convolution to the prefix of its tensors.
    """
    prefix = "" if "0.weight" in tensors else "features."
    return {layer.name: f"{prefix}{_VGG16[layer.name]}" for layer in network.layers if layer.weights}
