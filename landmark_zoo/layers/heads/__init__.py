"""Heads: embedding [B, D] to logits [B, N], training only. A new one is one file, one row of `HEADS` and one test."""

import functools
from collections.abc import Callable

from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.heads.adacos import AdaCos
from landmark_zoo.layers.heads.arcface import ArcFace
from landmark_zoo.layers.heads.base import CosineHead, Head
from landmark_zoo.layers.heads.cosface import CosFace
from landmark_zoo.layers.heads.cosine_softmax import CosineSoftmax
from landmark_zoo.layers.heads.softmax import Softmax
from landmark_zoo.layers.heads.sub_centre_arcface import SubCentreArcFace

HEADS: Registry[Callable[..., Head]] = Registry("head")
HEADS.add("arcface", ArcFace)
HEADS.add("cosface", CosFace)
HEADS.add("adacos", AdaCos)
HEADS.add("adacos_fixed", functools.partial(AdaCos, adaptive=False))
HEADS.add("sub_centre_arcface", SubCentreArcFace)
HEADS.add("cosine_softmax", CosineSoftmax)
HEADS.add("softmax", Softmax)

__all__ = ["HEADS", "AdaCos", "ArcFace", "CosFace", "CosineHead", "CosineSoftmax", "Head", "Softmax",
           "SubCentreArcFace"]
