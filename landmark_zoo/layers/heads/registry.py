"""Table of heads: embedding [B, D] to logits [B, N], training only. A new one is one file, one row of `HEADS` and one test.

"sub_center_arcface" is another spelling of "sub_centre_arcface".

Example:
    >>> HEADS.list("ada*")
    ['adacos', 'adacos_fixed']
    >>> HEADS["arcface"](num_classes=5, scale=64.0).scale
    64.0
"""

import functools
from collections.abc import Callable

from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.heads.adacos import AdaCos
from landmark_zoo.layers.heads.margin import ArcFace, CosFace, SubCenterArcFace
from landmark_zoo.layers.heads.softmax import CosineSoftmax, Head, Softmax

HEADS: Registry[Callable[..., Head]] = Registry("head")
HEADS.add("arcface", ArcFace)
HEADS.add("cosface", CosFace)
HEADS.add("adacos", AdaCos)
HEADS.add("adacos_fixed", functools.partial(AdaCos, adaptive=False))
HEADS.add("sub_centre_arcface", SubCenterArcFace)
HEADS.add("sub_center_arcface", SubCenterArcFace)
HEADS.add("cosine_softmax", CosineSoftmax)
HEADS.add("softmax", Softmax)
