"""Named models: any backbone with any attention block, pooling, embedding and head.

`create_model("resnet101_se")` makes one, `list_models("*se*")` lists them.
"""

from landmark_zoo.models.build import build_model
from landmark_zoo.models.zoo import create_model, list_models

__all__ = ["build_model", "create_model", "list_models"]
