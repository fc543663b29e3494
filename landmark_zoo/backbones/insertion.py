"""Attention blocks put between the layers of a network that is already there."""

from collections.abc import Mapping

import tensorflow as tf

from landmark_zoo.backbones.rebuild import rebuild
from landmark_zoo.layers.attention import Attention


def insert_blocks(model: tf.keras.Model, blocks: Mapping[str, Attention]) -> tf.keras.Model:
    """Rebuilds a network so that what follows a layer sees that layer's output attended.

    Args:
        model: See `rebuild`, which also says what becomes of it.
        blocks: From the name of a layer of `model` to the block on its output, made with `return_maps=True`.

    Returns:
        A model of the same name and outputs; an output that was a named layer's is the attended one. Beside them stand
        "attention/<block's name>/<map>" for every map of every block.

    Raises:
        ValueError: See `rebuild`.
    """
    return rebuild(model, blocks, lambda layer, block, inputs: block(layer(inputs)))
