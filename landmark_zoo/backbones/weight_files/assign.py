"""Tensors of a torch file put into the layers of a Keras network: layouts turned, every name and shape checked."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError


def assign_tensors(network: tf.keras.Model, tensors: Mapping[str, np.ndarray], names: Mapping[str, str], path: str | Path,
                   unused: Collection[str] = ()) -> None:
    """Fills the layers of a network, all of them or, where a tensor is wrong, none.

    Args:
        network: Network whose convolutions, depthwise convolutions, dense layers and normalizations are filled, and layers
            that say so themselves: their `torch_parts` are pairs, one for each weight in their order, of the last part of
            the tensor's name and the order of its axes in Keras.
        tensors: Tensors by name, as `read_state_dict` returns them.
        names: From the name of each layer with weights to the prefix of its tensors; it may be empty.
        path: File that the tensors come from, for the message.
        unused: Names, or prefixes, of tensors that the network has no layer for, such as those of a classifier left out.

    Raises:
        UserError: A tensor that is absent, of another shape or kind, not finite, or for which there is no layer.
    """
    values, used = {}, set()
    for layer in network.layers:
        if layer.weights:
            parts = {".".join(filter(None, (names[layer.name], part))): axes for part, axes in _parts(layer).items()}
            values[layer.name] = [_fitting(tensors, part, axes, layer, weight, path)
                                  for (part, axes), weight in zip(parts.items(), layer.weights, strict=True)]
            used.update(parts)
    left = [name for name in tensors if name not in used and not name.endswith(".num_batches_tracked")
            and not any(name == prefix or name.startswith(f"{prefix}.") for prefix in unused)]
    if left:
        raise _misfit(network, path, f"{len(left)} tensors that it has no layer for, {left[0]} among them")
    for name, arrays in values.items():
        network.get_layer(name).set_weights(arrays)


def _parts(layer: tf.keras.layers.Layer) -> Mapping[str, tuple[int, ...] | None]:
    """Returns the last parts of the names of a layer's tensors and, where the layer says so, the order of their axes."""
    return dict(layer.torch_parts) if hasattr(layer, "torch_parts") else dict.fromkeys(_usual_parts(layer))


def _usual_parts(layer: tf.keras.layers.Layer) -> tuple[str, ...]:
    if isinstance(layer, tf.keras.layers.BatchNormalization | tf.keras.layers.LayerNormalization):
        learnt = (*(("weight",) if layer.scale else ()), *(("bias",) if layer.center else ()))
        return learnt if isinstance(layer, tf.keras.layers.LayerNormalization) else (*learnt, "running_mean", "running_var")
    return ("weight", "bias") if layer.use_bias else ("weight",)


def _fitting(tensors: Mapping[str, np.ndarray], name: str, axes: tuple[int, ...] | None, layer: tf.keras.layers.Layer,
             weight: tf.Variable, path: str | Path) -> np.ndarray:
    if name not in tensors:
        raise _misfit(layer, path, f"none named {name}")
    array = tensors[name]
    axes = _axes(layer, array.ndim) if axes is None else axes
    turned = array.transpose(axes) if len(axes) == array.ndim else array
    if turned.shape != tuple(weight.shape) or not np.issubdtype(array.dtype, np.floating):
        raise _misfit(layer, path, f"{name} {array.dtype} {list(array.shape)}")
    if not np.isfinite(turned).all():
        raise _misfit(layer, path, f"{name}, which is not finite")
    return turned


def _axes(layer: tf.keras.layers.Layer, dimensions: int) -> tuple[int, ...]:
    """Returns torch's axes in Keras' order: [O,I,h,w] to [h,w,I,O], depthwise [C,1,h,w] to [h,w,C,1], [O,I] to [I,O]."""
    if dimensions == 4:
        return (2, 3, 0, 1) if isinstance(layer, tf.keras.layers.DepthwiseConv2D) else (2, 3, 1, 0)
    return tuple(reversed(range(dimensions)))


def _misfit(part: tf.keras.Model | tf.keras.layers.Layer, path: str | Path, received: str) -> UserError:
    return UserError(f"tensors for {part.name} in {path}", received, "Choose the file of the same backbone.")
