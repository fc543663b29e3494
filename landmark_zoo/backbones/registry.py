"""Table of backbones: each application with its preprocessing, taps, strides and paper."""

import dataclasses
from collections.abc import Callable, Collection, Mapping

import tensorflow as tf

from landmark_zoo.backbones import efficientnet_lite, resnet_v15, torch_names
from landmark_zoo.backbones.published_weights import PublishedWeights
from landmark_zoo.core.registry import Registry


@dataclasses.dataclass(frozen=True)
class BackboneSpec:
    """Row of the backbone table: a network (a Keras application, mostly) and what the zoo must know of it.

    Attributes:
        name: Name of the backbone in model names.
        application: Function that makes it; takes `include_top`, `weights`, `input_shape` and, with widths, `alpha`.
        preprocessing: Mode of `preprocessing.preprocess`.
        taps: From tap ("C3", "C4", "C5") to the Keras layer whose output it is.
        strides: From tap to input pixels per step of its feature map.
        has_width: Whether `alpha` (the width multiplier) may be given.
        paper: Authors, title, venue.
        published: File of its ImageNet weights in an installed package; None for those that Keras publishes.
        torch_names: Function of the network and the names in a file of torch that returns the names of the layers there;
            None where none are known.
        unused_tensors: Prefixes in such files of what has no layer here: the classifier.
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


BACKBONES: Registry[BackboneSpec] = Registry("backbone")

_applications = tf.keras.applications
_RESNET = {"C3": "conv3_block4_out", "C5": "conv5_block3_out"}
_STRIDES = {"C3": 8, "C4": 16, "C5": 32}
_EFFICIENTNET = {"C3": "block4a_expand_activation", "C4": "block6a_expand_activation", "C5": "top_activation"}

for _spec in (
    BackboneSpec(
        "mobilenet", _applications.MobileNet, "symmetric",
        {"C3": "conv_pw_5_relu", "C4": "conv_pw_11_relu", "C5": "conv_pw_13_relu"}, _STRIDES,
        "Howard et al., MobileNets, arXiv:1704.04861, 2017", has_width=True),
    BackboneSpec(
        "mobilenetv2", _applications.MobileNetV2, "symmetric",
        {"C3": "block_6_expand_relu", "C4": "block_13_expand_relu", "C5": "out_relu"}, _STRIDES,
        "Sandler et al., MobileNetV2, CVPR 2018", has_width=True),
    *(BackboneSpec(
        name, application, "standard", {"C3": "conv3_out", "C4": "conv4_out", "C5": "conv5_out"}, _STRIDES,
        "He et al., Deep Residual Learning, CVPR 2016 (basic blocks: v1 and v1.5 are the same)", has_width=True,
        torch_names=torch_names.resnet_names, unused_tensors=torch_names.UNUSED)
      for name, application in (("resnet18", resnet_v15.ResNet18), ("resnet34", resnet_v15.ResNet34))),
    BackboneSpec(
        "resnet50", _applications.ResNet50, "caffe", {**_RESNET, "C4": "conv4_block6_out"}, _STRIDES,
        "He et al., Deep Residual Learning, CVPR 2016 (v1: stride on the first 1x1)"),
    BackboneSpec(
        "resnet101", _applications.ResNet101, "caffe", {**_RESNET, "C4": "conv4_block23_out"}, _STRIDES,
        "He et al., Deep Residual Learning, CVPR 2016 (v1: stride on the first 1x1)"),
    *(BackboneSpec(
        name, application, mode, {"C3": f"conv3_block{c3}_out", "C4": f"conv4_block{c4}_out", "C5": "conv5_block3_out"},
        _STRIDES, f"He et al., Deep Residual Learning, CVPR 2016 (v1.5: stride in the 3x3{order})", has_width=True,
        torch_names=torch_names.resnet_names, unused_tensors=torch_names.UNUSED)
      for name, application, mode, c3, c4, order in (
          ("resnet50v15", resnet_v15.ResNet50V15, "standard", 4, 6, ""),
          ("resnet101v15", resnet_v15.ResNet101V15, "standard", 4, 23, ""),
          ("resnet152v15", resnet_v15.ResNet152V15, "standard", 8, 36, ""),
          ("resnet50v15bgr", resnet_v15.ResNet50V15, "standard_bgr", 4, 6, "; pixels BGR, as in pycls"),
          ("resnet101v15bgr", resnet_v15.ResNet101V15, "standard_bgr", 4, 23, "; pixels BGR, as in pycls"))),
    BackboneSpec(
        "vgg16", _applications.VGG16, "caffe",
        {"C3": "block3_conv3", "C4": "block4_conv3", "C5": "block5_conv3"}, {"C3": 4, "C4": 8, "C5": 16},
        "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015 (without the last max-pooling)"),
    BackboneSpec(
        "vgg16torch", _applications.VGG16, "standard",
        {"C3": "block3_conv3", "C4": "block4_conv3", "C5": "block5_conv3"}, {"C3": 4, "C4": 8, "C5": 16},
        "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015 (the same layers, pixels as in torchvision)",
        torch_names=torch_names.vgg16_names, unused_tensors=("classifier", "pool", "whiten")),
    BackboneSpec(
        "efficientnetb0", _applications.EfficientNetB0, "efficientnet", _EFFICIENTNET, _STRIDES,
        "Tan and Le, EfficientNet, ICML 2019"),
    *(BackboneSpec(
        f"efficientnetlite{number}", application, "efficientnet_lite", _EFFICIENTNET, _STRIDES,
        "Tan and Le, EfficientNet, ICML 2019 (Lite: ReLU6, no squeeze-and-excitation)", published=published,
        torch_names=efficientnet_lite.torch_names, unused_tensors=("_fc", "classifier"))
      for number, (application, published) in enumerate((
          (efficientnet_lite.EfficientNetLite0, efficientnet_lite.LITE0),
          (efficientnet_lite.EfficientNetLite1, efficientnet_lite.LITE1),
          (efficientnet_lite.EfficientNetLite2, efficientnet_lite.LITE2)))),
):
    BACKBONES.add(_spec.name, _spec)
