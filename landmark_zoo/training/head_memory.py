"""What a head costs in memory."""

import math

import tensorflow as tf

from landmark_zoo.training.config import TrainingConfig

SLOTS = {"sgd": 1, "adam": 2, "adamw": 2}


def head_memory(head: tf.keras.layers.Layer, config: TrainingConfig, replicas: int = 1) -> dict[str, float]:
    """Returns the MiB that a head holds on each device while it is trained.

    Args:
        head: Built.
        config: Optimizer, averages and batch.
        replicas: Devices that share a batch; each holds the whole head.

    Returns:
        "weights", "gradient", "optimizer" (momenta), "average", "logits" of a part of the batch, once.
    """
    weights = sum(4 * math.prod(variable.shape) for variable in head.weights)
    momenta = 0 if config.optimizer == "sgd" and not config.momentum else SLOTS[config.optimizer]
    batch = config.batch_size / (replicas * config.accumulate)
    bytes_ = {"weights": weights, "gradient": weights, "optimizer": momenta * weights,
              "average": weights if config.ema_momentum else 0, "logits": 4 * batch * head.num_classes}
    return {name: count / 2**20 for name, count in bytes_.items()}
