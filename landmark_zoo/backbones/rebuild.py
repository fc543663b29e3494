"""A network that is already there, called once more with some of its layers treated otherwise."""

from collections.abc import Callable, Collection, Mapping

import tensorflow as tf

from landmark_zoo.layers.attention import Attention
from landmark_zoo.layers.attention.base import Maps

Apply = Callable[[tf.keras.layers.Layer, Attention, tf.Tensor], tuple[tf.Tensor, Maps]]


def rebuild(model: tf.keras.Model, blocks: Mapping[str, Attention], apply: Apply,
            left_out: Collection[str] = ()) -> tf.keras.Model:
    """Calls the layers of a network again, in order, and makes a model of the result.

    The layers are those of `model` themselves: weights are shared, not copied. They have been called twice after this, once
    in each model, so that Keras' `layer.output` is no longer defined; `model` itself works on.

    Args:
        model: Functional, with a dict of outputs. Each of its layers is called once, with tensors alone.
        blocks: From the name of a layer of `model` to the block that meets it.
        apply: (layer, block, the layer's input) -> (what the following layers see, the block's maps by name); called
            instead of the layer alone wherever there is a block.
        left_out: Names of layers whose input is passed on as it is.

    Returns:
        A model of the same name and outputs, and beside them "attention/<block's name>/<map>" for every map of every block.

    Raises:
        ValueError: A name that is no layer, a layer that is shared or takes more than tensors, or a block that refuses the
            feature map.
    """
    _check(model, {*blocks, *left_out})
    rebuilt, maps = {}, {}
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.InputLayer):
            rebuilt[id(layer.output)] = layer.output
            continue
        before = layer.output
        features = tf.nest.map_structure(lambda tensor: rebuilt[id(tensor)], layer.input)
        if layer.name in blocks:
            block = blocks[layer.name]
            features, found = apply(layer, block, features)
            maps |= {f"attention/{block.name}/{name}": values for name, values in found.items()}
        elif layer.name not in left_out:
            features = layer(features)
        rebuilt[id(before)] = features
    outputs = {name: rebuilt[id(tensor)] for name, tensor in model.output.items()}
    return tf.keras.Model(model.input, {**outputs, **maps}, name=model.name)


def _check(model: tf.keras.Model, names: Collection[str]) -> None:
    unknown = sorted(set(names) - {layer.name for layer in model.layers})
    if unknown:
        raise ValueError(f"rebuild: expected layers of {model.name}; received {', '.join(unknown)}.")
    for layer in model.layers:
        calls = layer.inbound_nodes
        tensors_alone = isinstance(layer, tf.keras.layers.InputLayer) or all(
            len(call.call_args) == 1 and not call.call_kwargs for call in calls)
        if len(calls) != 1 or not tensors_alone:
            raise ValueError("rebuild: expected layers that are called once, with tensors alone; "
                             f"received {layer.name} of {model.name}, called {len(calls)} times.")
