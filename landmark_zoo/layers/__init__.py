"""Keras layers of landmark retrieval: attention blocks, poolings, embedding and whitening layers, heads.

`ATTENTION`, `POOLING` and `HEADS` are the tables that model names and flags refer to. Every layer is registered under
"landmark_zoo>ClassName"; `CUSTOM_OBJECTS` maps these names, and those of earlier versions, to the classes.

Example:
    >>> import numpy as np
    >>> from landmark_zoo import layers
    >>> layers.GeM(p=3.0)(np.ones([1, 7, 5, 8], np.float32)).shape
    TensorShape([1, 8])
"""

from landmark_zoo.core.keras_version import check_keras_2
from landmark_zoo.core.lazy import attach

check_keras_2()

_ATTENTION = {
    "a2": ("DoubleAttention",), "aa": ("AttentionAugmentedConvolution",), "agem": ("AGeMAttention",),
    "attention_branch": ("AttentionBranch",), "bam": ("BAM",), "base": ("Attention",),
    "cbam": ("CBAM", "CBAMChannel", "CBAMSpatial"), "crn": ("ContextualReweighting",), "crow": ("CroW",),
    "delf": ("DELF", "DELG", "DELGLocalBranch"), "eca": ("EfficientChannelAttention",), "gc": ("GlobalContext",),
    "ge": ("GatherExcite",), "glam": ("GLAM", "GLAMGlobal", "GLAMGlobalChannel", "GLAMGlobalSpatial"),
    "glam_local": ("GLAMLocal", "GLAMLocalChannel", "GLAMLocalSpatial"), "gsop": ("GlobalSecondOrderPooling",),
    "how": ("HOW", "L2Attention"), "n3": ("NeuralNearestNeighbors",), "non_local": ("NonLocal",),
    "ona": ("OnlineAggregation",),
    "registry": ("ATTENTION", "Method", "taxonomy_table"), "san": ("SANBlock", "SelfAttentionModule"),
    "se": ("SqueezeExcitation",), "solar": ("SecondOrderAttention",)}
_POOLING = {
    "crow": ("ClassWeighted", "CroWPooling"), "netvlad": ("NetVLAD",), "regional": ("RMAC", "VectorSum"),
    "salad": ("SALAD",),
    "super_global": ("Floor", "RegionalGeM", "regional_gem"),
    "global_pooling": ("AdaptiveAveragePooling", "GeM", "MAC", "Pooling", "SPoC", "gem")}
_HEADS = {
    "adacos": ("AdaCos",), "margin": ("ArcFace", "CosFace", "SubCenterArcFace"),
    "softmax": ("CosineHead", "CosineSoftmax", "Head", "Softmax")}
_OTHERS = {
    "embedding": ("EmbeddingLayer", "L2Normalize", "WhiteningReduction", "l2_normalize", "pca_whitening"),
    "registry": ("CUSTOM_OBJECTS", "HEADS", "POOLING"), "xfeat": ("KeypointHeat", "NormalizedGray", "SpaceToDepth")}

__getattr__, __dir__, __all__ = attach(__name__, {
    name: f"{__name__}{folder}.{module}"
    for folder, modules in ((".attention", _ATTENTION), (".pooling", _POOLING), (".heads", _HEADS), ("", _OTHERS))
    for module, names in modules.items() for name in names})
