"""Defaults of training: what `experiments.train` takes for flags that are not given, where a backbone is pretrained.

The rule was chosen on landmarks outside every benchmark; measurements: BUILD_NOTES.md, "Defaults of training".
"""

import math

from landmark_zoo.models.how import build_how
from landmark_zoo.models.registry import MODELS, ModelConfig

MARGIN_HEADS = ("arcface", "cosface", "sub_center_arcface", "sub_centre_arcface")
BATCH_SIZE, EPOCHS, MIN_STEPS = 32, 2, 60
SETTINGS = {"learning_rate": 1e-3, "backbone_multiplier": 0.1, "margin": 0.2, "scale": 20.0, "weight_interpolation": "auto"}


def default_settings(images: int) -> dict[str, float | str]:
    """Returns settings of `TrainingConfig` and `ModelConfig` for a collection of this size, by name.

    Batches of `BATCH_SIZE` images, fewer where there are fewer; `EPOCHS` epochs, more where these are less than `MIN_STEPS`
    steps; and `SETTINGS`, whatever the size. They are for classification by one of `MARGIN_HEADS`.

    Args:
        images: Number of training images.

    Example:
        >>> [(each["batch_size"], each["epochs"]) for each in map(default_settings, (20, 200, 3000))]
        [(20, 60), (32, 10), (32, 2)]
    """
    batch_size = max(min(BATCH_SIZE, images), 1)
    return {"batch_size": batch_size, "epochs": max(EPOCHS, math.ceil(MIN_STEPS / max(images // batch_size, 1))), **SETTINGS}


def default_embedding(config: ModelConfig) -> str:
    """Returns the part of a model that is fitted to images before training, one of `initialization.INITIAL_EMBEDDINGS`.

    Example:
        >>> default_embedding(ModelConfig("mobilenetv2_gem")), default_embedding(ModelConfig("resnet50_how"))
        ('pca', 'whitening')
    """
    row = MODELS[config.model]
    if row.get("builder") is build_how and config.embedding_dim:
        return "whitening"
    if "netvlad" in str(config.pooling or row.get("pooling")):
        return "clusters"
    return "random" if "builder" in row or not config.embedding_dim else "pca"
