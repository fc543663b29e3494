"""BatchNorm while fine-tuning."""

import tensorflow as tf


def freeze_batchnorm(model: tf.keras.Model) -> int:
    """Puts every BatchNorm of `model` and of the models inside it into inference mode and fixes its weights.

    Retrieval networks are fine-tuned so: batches are small and of other statistics than ImageNet's.

    Returns:
        How many layers were frozen.
    """
    frozen = 0
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            frozen += freeze_batchnorm(layer)
        elif isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.trainable = False
            frozen += 1
    return frozen
