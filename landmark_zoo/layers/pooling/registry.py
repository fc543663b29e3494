"""Table of poolings: feature map [B, H, W, C] to vector [B, D]. A new one is one file, one row of `POOLING` and one test.

Rows of the table are made without arguments; the poolings' own arguments choose further variants (a learnt power or one
per channel of GeM, R-MAC with whitening, ...). AGeM has no row: it is the attention block "agem_sum" followed by "gem".

Example:
    >>> POOLING.list("spoc*")
    ['spoc', 'spoc_prior']
    >>> POOLING["gem"](p=4.0).p
    4.0
"""

import functools
from collections.abc import Callable

from landmark_zoo.core.registry import Registry
from landmark_zoo.layers.pooling.crow import ClassWeighted, CroWPooling
from landmark_zoo.layers.pooling.global_pooling import MAC, GeM, Pooling, SPoC
from landmark_zoo.layers.pooling.netvlad import NetVLAD
from landmark_zoo.layers.pooling.regional import RMAC

POOLING: Registry[Callable[..., Pooling]] = Registry("pooling")
POOLING.add("gem", GeM)
POOLING.add("spoc", SPoC)
POOLING.add("spoc_prior", functools.partial(SPoC, centre_prior=True))
POOLING.add("mac", MAC)
POOLING.add("rmac", RMAC)
POOLING.add("crow_pooling", CroWPooling)
POOLING.add("class_weighted", ClassWeighted)
POOLING.add("netvlad", NetVLAD)
POOLING.add("netvlad_crn", functools.partial(NetVLAD, version="v1", crn=True))
