"""Rows of the backbone table for `tf.keras.applications`: all 71, in families.

`ROWS` holds the fields of `registry.BackboneSpec`; nothing is built when this is imported. Names are those of the
constructors in lower case. C5 is the last feature map without the top, but VGG's stands before its last pooling; C3 and C4
are the last maps of strides 8 and 16, rectified where the network rectifies them. Names like "add_5" count within the
network (`rewriting.rewrite`).

Keras 2.15 and tf_keras build the same networks. Two need more than a constructor's call: NASNet, which Keras builds wrongly
for unknown sides (its shortcuts do not shrink), is built for the side of its weights and rewritten; Inception takes 75
pixels, and smaller images get zeros. Licenses are those of the weights, as Keras' documentation or the authors'
repositories state them.
"""

import functools
from collections.abc import Callable, Iterator, Mapping

import tensorflow as tf

_keras = tf.keras.applications
Row = Mapping[str, object]
STRIDES = {"C3": 8, "C4": 16, "C5": 32}
INSIDE = "none"
"""Preprocessing of networks that contain theirs, whatever their weights."""

RESNET = "He et al., Deep Residual Learning, CVPR 2016 (v1: stride on the first 1x1)"
_RESNET_V2 = "He et al., Identity Mappings in Deep Residual Networks, ECCV 2016"
_RESNET_RS = "Bello et al., Revisiting ResNets: Improved Training and Scaling Strategies, NeurIPS 2021"
_MOBILENET = "Howard et al., MobileNets, arXiv:1704.04861, 2017"
_MOBILENET_V2 = "Sandler et al., MobileNetV2, CVPR 2018"
_MOBILENET_V3 = "Howard et al., Searching for MobileNetV3, ICCV 2019"
_VGG = "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015 (without the last max-pooling)"
EFFICIENTNET = "Tan and Le, EfficientNet, ICML 2019"
_EFFICIENTNET_V2 = "Tan and Le, EfficientNetV2: Smaller Models and Faster Training, ICML 2021"
_CONVNEXT = "Liu et al., A ConvNet for the 2020s, CVPR 2022"
_REGNET = "Radosavovic et al., Designing Network Design Spaces, CVPR 2020"
_DENSENET = "Huang et al., Densely Connected Convolutional Networks, CVPR 2017"
_INCEPTION = "Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016"
_INCEPTION_RESNET = "Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections, AAAI 2017"
_XCEPTION = "Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, CVPR 2017"
_NASNET = "Zoph et al., Learning Transferable Architectures for Scalable Image Recognition, CVPR 2018"

APACHE, MIT, BSD, CC_BY, NOT_STATED = "Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-4.0", "not stated"

_RESNET_BLOCKS = {"50": (4, 6, 3), "101": (4, 23, 3), "152": (8, 36, 3)}
_RESNET_V2_BLOCKS = {"50": (4, 6), "101": (4, 23), "152": (8, 36)}
_RESNET_RS_BLOCKS = {50: (4, 6, 3), 101: (4, 23, 3), 152: (8, 36, 3), 200: (24, 36, 3), 270: (29, 53, 4), 350: (36, 72, 4),
                     420: (44, 87, 4)}
_REGNET_X_BLOCKS = {"002": (1, 4, 7), "004": (2, 7, 12), "006": (3, 5, 7), "008": (3, 7, 5), "016": (4, 10, 2),
                    "032": (6, 15, 2), "040": (5, 14, 2), "064": (4, 10, 1), "080": (5, 15, 1), "120": (5, 11, 1),
                    "160": (6, 13, 1), "320": (7, 13, 1)}
_REGNET_Y_BLOCKS = {"002": (1, 4, 7), "004": (3, 6, 6), "006": (3, 7, 4), "008": (3, 8, 2), "016": (6, 17, 2),
                    "032": (5, 13, 1), "040": (6, 12, 2), "064": (7, 14, 2), "080": (4, 10, 1), "120": (5, 11, 1),
                    "160": (4, 11, 1), "320": (5, 12, 1)}
EFFICIENTNET_TAPS = {"C3": "block4a_expand_activation", "C4": "block6a_expand_activation", "C5": "top_activation"}


def _taps(c3: str, c4: str, c5: str) -> dict[str, str]:
    return {"C3": c3, "C4": c4, "C5": c5}


def _row(constructor: str, family: str, preprocessing: str, taps: Mapping[str, str], paper: str, license: str,
         **others) -> Row:
    application = others.pop("application", None) or getattr(_keras, constructor)
    return {"name": constructor.lower(), "application": application, "preprocessing": preprocessing, "taps": taps,
            "strides": STRIDES, "paper": paper, "family": family, "keras_license": license, **others}


def _at_side(constructor: Callable[..., tf.keras.Model], side: int, include_top: bool = False, weights: str | None = None,
             input_shape=None) -> tf.keras.Model:
    """Builds an application for its own side, whatever side is asked for; `rewriting.rewrite` frees it."""
    del input_shape
    return constructor(include_top=include_top, weights=weights, input_shape=(side, side, 3))


def _rows() -> Iterator[Row]:
    yield _row("MobileNet", "mobilenet", "symmetric", _taps("conv_pw_5_relu", "conv_pw_11_relu", "conv_pw_13_relu"),
               _MOBILENET, APACHE, has_width=True)
    yield _row("MobileNetV2", "mobilenet_v2", "symmetric", _taps("block_6_expand_relu", "block_13_expand_relu", "out_relu"),
               _MOBILENET_V2, APACHE, has_width=True)
    yield _row("MobileNetV3Small", "mobilenet_v3", INSIDE, _taps("multiply_4", "multiply_29", "multiply_44"), _MOBILENET_V3,
               APACHE, has_width=True)
    yield _row("MobileNetV3Large", "mobilenet_v3", INSIDE, _taps("multiply_6", "multiply_32", "multiply_47"), _MOBILENET_V3,
               APACHE, has_width=True)
    for depth, blocks in _RESNET_BLOCKS.items():
        yield _row(f"ResNet{depth}", "resnet", "caffe",
                   _taps(*(f"conv{stage}_block{block}_out" for stage, block in enumerate(blocks, 3))), RESNET, MIT)
    for depth, blocks in _RESNET_V2_BLOCKS.items():
        taps = [f"conv{stage}_block{block}_preact_relu" for stage, block in enumerate(blocks, 3)]
        yield _row(f"ResNet{depth}V2", "resnet_v2", "symmetric", _taps(*taps, "post_relu"), _RESNET_V2, NOT_STATED)
    for depth, blocks in _RESNET_RS_BLOCKS.items():
        taps = [f"BlockGroup{group}__block_{count - 1}__output_act" for group, count in enumerate(blocks, 3)]
        yield _row(f"ResNetRS{depth}", "resnet_rs", INSIDE, _taps(*taps), _RESNET_RS, APACHE)
    yield _row("VGG16", "vgg", "caffe", _taps("block3_conv3", "block4_conv3", "block5_conv3"), _VGG, CC_BY,
               strides={"C3": 4, "C4": 8, "C5": 16})
    yield _row("VGG19", "vgg", "caffe", _taps("block3_conv4", "block4_conv4", "block5_conv4"), _VGG, CC_BY,
               strides={"C3": 4, "C4": 8, "C5": 16})
    for number in range(8):
        yield _row(f"EfficientNetB{number}", "efficientnet", "efficientnet", EFFICIENTNET_TAPS, EFFICIENTNET, APACHE)
    for size in ("B0", "B1", "B2", "B3", "S", "M", "L"):
        yield _row(f"EfficientNetV2{size}", "efficientnet_v2", INSIDE, EFFICIENTNET_TAPS, _EFFICIENTNET_V2, APACHE)
    for size, c4 in (("Tiny", "add_14"), ("Small", "add_32"), ("Base", "add_32"), ("Large", "add_32"), ("XLarge", "add_32")):
        yield _row(f"ConvNeXt{size}", "convnext", INSIDE, _taps("add_5", c4, "layer_normalization"), _CONVNEXT, MIT)
    for letter, table in (("X", _REGNET_X_BLOCKS), ("Y", _REGNET_Y_BLOCKS)):
        for size, blocks in table.items():
            taps = [f"regnet{letter.lower()}{size}_Stage_{stage}_{letter}Block_{count - 1}_exit_relu"
                    for stage, count in enumerate(blocks, 1)]
            yield _row(f"RegNet{letter}{size}", f"regnet_{letter.lower()}", INSIDE, _taps(*taps), _REGNET, NOT_STATED)
    for depth in (121, 169, 201):
        yield _row(f"DenseNet{depth}", "densenet", "standard", _taps("pool3_relu", "pool4_relu", "relu"), _DENSENET, BSD)
    yield _row("InceptionV3", "inception", "symmetric", _taps("mixed2", "mixed7", "mixed10"), _INCEPTION, APACHE,
               smallest_side=75)
    yield _row("InceptionResNetV2", "inception_resnet", "symmetric", _taps("block35_10_ac", "block17_20_ac", "conv_7b_ac"),
               _INCEPTION_RESNET, APACHE, smallest_side=75)
    yield _row("Xception", "xception", "symmetric",
               _taps("block4_sepconv2_act", "block13_sepconv2_act", "block14_sepconv2_act"), _XCEPTION, MIT)
    for size, side, taps in (("Mobile", 224, ("normal_concat_3", "normal_concat_8", "activation_187")),
                             ("Large", 331, ("normal_concat_5", "normal_concat_12", "activation_259"))):
        constructor = getattr(_keras, f"NASNet{size}")
        yield _row(f"NASNet{size}", "nasnet", "symmetric", _taps(*taps), _NASNET, APACHE,
                   application=functools.partial(_at_side, constructor, side))


ROWS: tuple[Row, ...] = tuple(_rows())
