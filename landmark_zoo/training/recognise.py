"""What a trained classifier takes photographs for."""

import numpy as np
import tensorflow as tf

from landmark_zoo.core.progress import progress


def recognise(model: tf.keras.Model, batches: tf.data.Dataset, total: int | None = None) -> tuple[np.ndarray, ...]:
    """Runs a model with a head over labelled photographs.

    Args:
        model: Gives "logits"; see `models.build_model`.
        batches: (images [B, H, W, 3], labels [B]).
        total: How many batches there are, for the progress line.

    Returns:
        Labels, predictions (int [N]) and the predictions' probabilities by softmax of the logits (float32 [N]).
    """
    @tf.function(reduce_retracing=True)
    def step(images):
        probabilities = tf.nn.softmax(tf.cast(model(images, training=False)["logits"], tf.float32))
        return tf.argmax(probabilities, axis=-1), tf.reduce_max(probabilities, axis=-1)

    columns = [(labels.numpy(), *(tensor.numpy() for tensor in step(images)))
               for images, labels in progress(batches, "recognising", total=total)]
    return tuple(np.concatenate(column) for column in zip(*columns, strict=True))
