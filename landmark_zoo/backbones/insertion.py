"""Attention blocks put between the layers of a network that is already there."""

from collections.abc import Mapping

import tensorflow as tf

from landmark_zoo.layers.attention import Attention


def insert_blocks(model: tf.keras.Model, blocks: Mapping[str, Attention]) -> tf.keras.Model:
    """Rebuilds a network so that what follows a layer sees that layer's output attended.

    The layers are those of `model` themselves: weights are shared, not copied. They have been called twice after this, once
    in each model, so that Keras' `layer.output` is no longer defined; `model` itself works on.

    Args:
        model: Functional, with a dict of outputs. Each of its layers is called once, with tensors alone.
        blocks: From the name of a layer of `model` to the block on its output, made with `return_maps=True`.

    Returns:
        A model of the same name and outputs; an output that was a named layer's is the attended one. Beside them stand
        "attention/<block's name>/<map>" for every map of every block.

    Raises:
        ValueError: A name that is no layer, a layer that is shared or takes more than tensors, or a block that refuses the
            feature map.
    """
    _check(model, blocks)
    rebuilt, maps = {}, {}
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.InputLayer):
            rebuilt[id(layer.output)] = layer.output
            continue
        before = layer.output
        features = layer(tf.nest.map_structure(lambda tensor: rebuilt[id(tensor)], layer.input))
        if layer.name in blocks:
            block = blocks[layer.name]
            features, found = block(features)
            maps |= {f"attention/{block.name}/{name}": values for name, values in found.items()}
        rebuilt[id(before)] = features
    outputs = {name: rebuilt[id(tensor)] for name, tensor in model.output.items()}
    return tf.keras.Model(model.input, {**outputs, **maps}, name=model.name)


def _check(model: tf.keras.Model, blocks: Mapping[str, Attention]) -> None:
    unknown = sorted(set(blocks) - {layer.name for layer in model.layers})
    if unknown:
        raise ValueError(f"insert_blocks: expected layers of {model.name}; received {', '.join(unknown)}.")
    for layer in model.layers:
        calls = layer.inbound_nodes
        tensors_alone = isinstance(layer, tf.keras.layers.InputLayer) or all(
            len(call.call_args) == 1 and not call.call_kwargs for call in calls)
        if len(calls) != 1 or not tensors_alone:
            raise ValueError("insert_blocks: expected layers that are called once, with tensors alone; "
                             f"received {layer.name} of {model.name}, called {len(calls)} times.")
