"""Tables of poolings (feature map [B, H, W, C] to vector [B, D]), of heads (embedding [B, D] to logits [B, N], for training)
and of all layers by registered name. A new pooling or head is one file, one row and one test.

Rows of `POOLING` are made without arguments; the poolings' own arguments choose further variants (a learnt power or one
per channel of GeM, R-MAC with whitening, ...). AGeM has no row: it is the attention block "agem_sum" followed by "gem".

"sub_center_arcface" is another spelling of "sub_centre_arcface".

Example:
    >>> POOLING.list("spoc*")
    ['spoc', 'spoc_prior']
    >>> POOLING["gem"](p=4.0).p
    4.0
    >>> HEADS["arcface"](num_classes=5, scale=64.0).scale
    64.0
"""

import functools
from collections.abc import Callable

import tensorflow as tf

import landmark_zoo.layers.attention.attention_branch
import landmark_zoo.layers.attention.registry
import landmark_zoo.layers.embedding
import landmark_zoo.layers.xfeat  # noqa: F401 (each import registers its layers)
from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.heads.adacos import AdaCos
from landmark_zoo.layers.heads.margin import ArcFace, CosFace, SubCenterArcFace
from landmark_zoo.layers.heads.softmax import CosineSoftmax, Head, Softmax
from landmark_zoo.layers.pooling.crow import ClassWeighted, CroWPooling
from landmark_zoo.layers.pooling.global_pooling import MAC, GeM, Pooling, SPoC
from landmark_zoo.layers.pooling.netvlad import NetVLAD
from landmark_zoo.layers.pooling.regional import RMAC
from landmark_zoo.layers.pooling.salad import SALAD
from landmark_zoo.layers.pooling.super_global import RegionalGeM

POOLING: Registry[Callable[..., Pooling]] = Registry("pooling")
POOLING.add("gem", GeM)
POOLING.add("regional_gem", RegionalGeM)
POOLING.add("spoc", SPoC)
POOLING.add("spoc_prior", functools.partial(SPoC, centre_prior=True))
POOLING.add("mac", MAC)
POOLING.add("rmac", RMAC)
POOLING.add("crow_pooling", CroWPooling)
POOLING.add("class_weighted", ClassWeighted)
POOLING.add("netvlad", NetVLAD)
POOLING.add("netvlad_crn", functools.partial(NetVLAD, version="v1", crn=True))
POOLING.add("salad", SALAD)

HEADS: Registry[Callable[..., Head]] = Registry("head")
HEADS.add("arcface", ArcFace)
HEADS.add("cosface", CosFace)
HEADS.add("adacos", AdaCos)
HEADS.add("adacos_fixed", functools.partial(AdaCos, adaptive=False))
HEADS.add("sub_centre_arcface", SubCenterArcFace)
HEADS.add("sub_center_arcface", SubCenterArcFace)
HEADS.add("cosine_softmax", CosineSoftmax)
HEADS.add("softmax", Softmax)

CUSTOM_OBJECTS: dict[str, type[tf.keras.layers.Layer]] = {
    name: layer for name, layer in sorted(tf.keras.utils.get_custom_objects().items())
    if name.startswith("landmark_zoo>") and layer.__module__.startswith("landmark_zoo.layers.")}
"""For `tf.keras.models.load_model(path, custom_objects=CUSTOM_OBJECTS)`. The names of earlier versions
("landmark_zoo>L2Normalise", ...) stand in it beside today's. Importing a layer is enough to load files that hold it."""
