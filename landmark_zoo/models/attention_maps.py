"""What a model attends to in one picture."""

import numpy as np
import tensorflow as tf


def attention_maps(model: tf.keras.Model, image: tf.Tensor) -> dict[str, np.ndarray]:
    """Returns one plane per attention map of the model, and the strength of the feature map that is pooled.

    A map with locations is averaged over its channels. A map of channels alone has no plane of its own: it is shown as the
    strength of the feature map that it left, the same as "feature_map" where it is the last block.

    Args:
        model: See `models.build_model`.
        image: [H, W, 3], RGB, 0..255.

    Returns:
        From output name ("attention/cbam_spatial", "feature_map") to float32 [h, w].
    """
    outputs = model(image[tf.newaxis], training=False)
    planes = {}
    for name, values in outputs.items():
        if name == "feature_map":
            planes[name] = tf.norm(tf.cast(values[0], tf.float32), axis=-1).numpy()
        elif name.startswith("attention/") and values.shape[1] * values.shape[2] > 1:
            planes[name] = tf.reduce_mean(tf.cast(values[0], tf.float32), axis=-1).numpy()
    return planes
