"""The two hidden dense layers of VGG-16 (Simonyan, Zisserman: Very Deep Convolutional Networks, ICLR 2015)."""

import tensorflow as tf

from landmark_zoo.layers.adaptive_average_pooling import AdaptiveAveragePooling

layers = tf.keras.layers


def dense_layers(features: tf.Tensor, width: int = 4096, dropout: float = 0.5) -> tf.Tensor:
    """Puts the two hidden dense layers on a feature map, each with a dropout behind it.

    Flattening ties them to maps of 7 x 7, pictures of 224 x 224. An average pooling to 7 x 7 before it, which changes
    nothing at 224, lets them take any size; torchvision's VGG does the same.

    Args:
        features: [B, H, W, C].
        width: Units of each layer; 4096 in the paper.
        dropout: Part of the units that training leaves out.

    Returns:
        [B, width].
    """
    x = layers.Flatten(name="flatten")(AdaptiveAveragePooling(7, name="to_7x7")(features))
    for number in (1, 2):
        x = layers.Dense(width, activation="relu", name=f"fc{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    return x
