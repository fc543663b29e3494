"""Table of backbones: each network with its preprocessing, taps, strides and paper.

Rows of the Keras applications are those of `keras_applications`; the others stand here.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping

import numpy as np
import tensorflow as tf

from landmark_zoo.backbones import dinov2, efficientnet_lite, keras_applications, resnet_v15, torch_names
from landmark_zoo.backbones.keras_applications import EFFICIENTNET, EFFICIENTNET_TAPS, STRIDES
from landmark_zoo.backbones.published_weights import PublishedWeights
from landmark_zoo.core.registry import Registry


@dataclasses.dataclass(frozen=True)
class BackboneSpec:
    """Row of the backbone table: a network (a Keras application, mostly) and what the zoo must know of it.

    Attributes:
        name: Name of the backbone in model names.
        application: Function that makes it; takes `include_top`, `weights`, `input_shape` and, with widths, `alpha`.
        preprocessing: Mode of `preprocessing.preprocess`.
        taps: From tap ("C3", "C4", "C5") to the Keras layer whose output it is; a plain transformer has C5 alone.
        strides: From tap to input pixels per step of its feature map.
        paper: Authors, title, venue.
        has_width: Whether `alpha` (the width multiplier) may be given.
        published: File of its ImageNet weights in an installed package; None for those that Keras publishes.
        torch_names: Function of the network and the names in a file of torch that returns the names of the layers there;
            None where none are known.
        unused_tensors: Prefixes in such files of what has no layer here: the classifier.
        smallest_side: Least height and width that the network itself takes, in pixels; smaller images get zeros.
        family: Networks of one architecture, e.g. "resnet".
        keras_license: License of the ImageNet weights that Keras publishes; None where it publishes none.
        torch_form: Function of the tensors of a file of torch that returns them under the names and in the shapes that
            `torch_names` and the layers know; None where they are so.
        class_token: Layer whose output [B, C] stands for the whole image beside the map; None where there is none.
    """

    name: str
    application: Callable[..., tf.keras.Model]
    preprocessing: str
    taps: Mapping[str, str]
    strides: Mapping[str, int]
    paper: str
    has_width: bool = False
    published: PublishedWeights | None = None
    torch_names: Callable[[tf.keras.Model, Collection[str]], Mapping[str, str]] | None = None
    unused_tensors: tuple[str, ...] = ()
    smallest_side: int = 32
    family: str = ""
    keras_license: str | None = None
    torch_form: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]] | None = None
    class_token: str | None = None


BACKBONES: Registry[BackboneSpec] = Registry("backbone")

for _row in keras_applications.ROWS:
    BACKBONES.add(_row["name"], BackboneSpec(**_row))

_DINOV2 = "Oquab et al., DINOv2: Learning Robust Visual Features without Supervision, TMLR 2024"
_REGISTERS = "Darcet et al., Vision Transformers Need Registers, ICLR 2024 (DINOv2)"

for _spec in (
    BackboneSpec(
        "vgg16torch", tf.keras.applications.VGG16, "standard",
        {"C3": "block3_conv3", "C4": "block4_conv3", "C5": "block5_conv3"}, {"C3": 4, "C4": 8, "C5": 16},
        "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015 (the same layers, pixels as in torchvision)",
        torch_names=torch_names.vgg16_names, unused_tensors=("classifier", "pool", "whiten"), family="vgg"),
    *(BackboneSpec(
        name, application, "standard", {"C3": "conv3_out", "C4": "conv4_out", "C5": "conv5_out"}, STRIDES,
        "He et al., Deep Residual Learning, CVPR 2016 (basic blocks: v1 and v1.5 are the same)", has_width=True,
        torch_names=torch_names.resnet_names, unused_tensors=torch_names.UNUSED, family="resnet_v15")
      for name, application in (("resnet18", resnet_v15.ResNet18), ("resnet34", resnet_v15.ResNet34))),
    *(BackboneSpec(
        name, application, mode, {"C3": f"conv3_block{c3}_out", "C4": f"conv4_block{c4}_out", "C5": "conv5_block3_out"},
        STRIDES, f"He et al., Deep Residual Learning, CVPR 2016 (v1.5: stride in the 3x3{order})", has_width=True,
        torch_names=torch_names.resnet_names, unused_tensors=torch_names.UNUSED, family="resnet_v15")
      for name, application, mode, c3, c4, order in (
          ("resnet50v15", resnet_v15.ResNet50V15, "standard", 4, 6, ""),
          ("resnet101v15", resnet_v15.ResNet101V15, "standard", 4, 23, ""),
          ("resnet152v15", resnet_v15.ResNet152V15, "standard", 8, 36, ""),
          ("resnet50v15bgr", resnet_v15.ResNet50V15, "standard_bgr", 4, 6, "; pixels BGR, as in pycls"),
          ("resnet101v15bgr", resnet_v15.ResNet101V15, "standard_bgr", 4, 23, "; pixels BGR, as in pycls"))),
    *(BackboneSpec(
        f"efficientnetlite{number}", application, "efficientnet_lite", EFFICIENTNET_TAPS, STRIDES,
        f"{EFFICIENTNET} (Lite: ReLU6, no squeeze-and-excitation)", published=published,
        torch_names=efficientnet_lite.torch_names, unused_tensors=("_fc", "classifier"), family="efficientnet_lite")
      for number, (application, published) in enumerate((
          (efficientnet_lite.EfficientNetLite0, efficientnet_lite.LITE0),
          (efficientnet_lite.EfficientNetLite1, efficientnet_lite.LITE1),
          (efficientnet_lite.EfficientNetLite2, efficientnet_lite.LITE2)))),
    *(BackboneSpec(
        name, application, "standard", {"C5": "patch_map"}, {"C5": dinov2.PATCH}, paper, torch_names=dinov2.torch_names,
        unused_tensors=("mask_token", "backbone.model.mask_token", "aggregator"), torch_form=dinov2.authors_form,
        class_token="class_token", family="dinov2")
      for name, application, paper in (
          ("dinov2s14", dinov2.DINOv2Small, _DINOV2), ("dinov2b14", dinov2.DINOv2Base, _DINOV2),
          ("dinov2s14reg", dinov2.DINOv2SmallRegisters, _REGISTERS),
          ("dinov2b14reg", dinov2.DINOv2BaseRegisters, _REGISTERS))),
):
    BACKBONES.add(_spec.name, _spec)
