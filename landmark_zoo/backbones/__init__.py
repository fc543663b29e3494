"""Backbones: all Keras applications, torchvision's ResNets, EfficientNet-Lite and DINOv2 behind one face: taps and weights.

`BACKBONES` lists them and `build_backbone` makes one; `insert_blocks` and `replace_convolutions` put attention into one
that is there.

Example:
    >>> from landmark_zoo import backbones
    >>> backbones.build_backbone("mobilenet", alpha=0.25, taps=("C4", "C5")).output_shape
    {'C4': (None, None, None, 128), 'C5': (None, None, None, 256)}
"""

from landmark_zoo.core.keras_version import check_keras_2
from landmark_zoo.core.lazy import attach

check_keras_2()

_MODULES = {
    "build": ("Preprocessing", "build_backbone", "describe_weights", "find_weights", "load_weights", "preprocess"),
    "efficientnet_lite": ("EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2"),
    "registry": ("BACKBONES", "BackboneSpec"),
    "resnet_v15": ("ResNet18", "ResNet34", "ResNet50V15", "ResNet101V15", "ResNet152V15"),
    "rewriting": ("LayerScale", "SmallestSide", "StridePadding", "rewrite"),
    "surgery": ("PLACEMENTS", "insert_blocks", "places", "replace_convolutions")}

__getattr__, __dir__, __all__ = attach(__name__, {
    name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names})
