"""What of a model learns, and how fast."""

import tensorflow as tf

from landmark_zoo.layers.attention import Attention
from landmark_zoo.training.batchnorm import freeze_batchnorm
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.freezing import freeze_stages
from landmark_zoo.training.grouped_optimizer import Group


def variable_groups(model: tf.keras.Model, config: TrainingConfig) -> list[Group]:
    """Fixes what shall not learn and divides the rest into two groups.

    Args:
        model: See `models.create_model`.
        config: Multipliers, `freeze`, `freeze_batchnorm`, `head_epochs`.

    Returns:
        "backbone", and "head" with everything else, attention inside the backbone included.
    """
    networks = [layer for layer in model.layers if isinstance(layer, tf.keras.Model)]
    if config.freeze_batchnorm:
        for network in networks:
            freeze_batchnorm(network)
    freeze_stages(model, config.freeze)
    pretrained = [variable for network in networks for layer in network.layers if not isinstance(layer, Attention)
                  for variable in layer.trainable_variables]
    theirs = {id(variable) for variable in pretrained}
    ours = [variable for variable in model.trainable_variables if id(variable) not in theirs]
    return [Group("backbone", pretrained, config.backbone_multiplier, config.head_epochs),
            Group("head", ours, config.head_multiplier)]
