"""Landmark models: any backbone with any attention block, pooling, embedding size and head.

`create_model("resnet101_se")` makes a named one, `create_model("cirtorch/gl18-resnet101-gem-w", weights=FILE)` one that
others have published, `list_models("*se*")` lists names, `build_model` combines parts freely.
Calling a model gives a dict of outputs: "embedding", "feature_map", "attention/<map>", "logits".

Example:
    >>> from landmark_zoo import models
    >>> models.list_models("resnet18_gc*")
    ['resnet18_gc_add', 'resnet18_gc_mul']
"""

from landmark_zoo.core.keras_version import check_keras_2
from landmark_zoo.core.lazy import attach

check_keras_2()

_MODULES = {
    "attention_branch_network": ("build_attention_branch_network", "build_faulty_abn", "build_frozen_classifier"),
    "build": ("build_model",), "delg": ("build_delf", "build_delg"), "how": ("build_how",), "solar": ("build_solar",),
    "lighterglue": ("LighterGlue", "build_lighterglue"), "megaloc": ("build_megaloc",), "xfeat": ("build_xfeat", "detect"),
    "inspection": ("Costs", "attention_kinds", "attention_maps", "costs", "gated_features", "multiply_accumulates",
                   "on_features", "weights_fingerprint"),
    "published.build": ("create_published",), "published.checkpoints": ("CHECKPOINTS", "Checkpoint"),
    "registry": ("MODELS", "NETWORKS", "ModelConfig", "Network", "create_model", "list_models", "load_keras_file")}

__getattr__, __dir__, __all__ = attach(__name__, {
    name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names})
