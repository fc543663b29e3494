"""Tensors of a torch file put into the layers of a Keras network: layouts turned, every name and shape checked."""

import collections
import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError

_PARTS = {"kernel": "weight", "depthwise_kernel": "weight", "gamma": "weight", "beta": "bias",
          "moving_mean": "running_mean", "moving_variance": "running_var"}
"""From the name of a layer's weight to torch's; the other names are the same."""
Axes = tuple[int, ...] | None


@dataclasses.dataclass(frozen=True)
class Assignment:
    """What became of the tensors of a file.

    Attributes:
        used: Names of the tensors that are in the network now.
        left_out: Names of the others; counts of batches, which no network has a use for, are not among them.
        untouched: Paths of the layers that the file has nothing for, which stay as they were.
    """

    used: tuple[str, ...]
    left_out: tuple[str, ...]
    untouched: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line: how many are used, what is left out (by the first parts of the names), which layers stay."""
        left = collections.Counter(_short(name) for name in self.left_out)
        out = ", ".join(f"{name} ({number})" if number > 1 else name for name, number in left.items()) or "none"
        stay = f"; as they were: {', '.join(self.untouched)}" if self.untouched else ""
        return f"{len(self.used)} tensors used; left out: {out}{stay}"


def _short(name: str) -> str:
    """Returns a tensor's layer, or the part of the network in which it lies deep.

    Example:
        >>> _short("fc.weight"), _short("localmodel.conv1.bias"), _short("encoder_q.head.fc.weight")
        ('fc', 'localmodel', 'encoder_q.head')
    """
    parts = name.split(".")[:-1]
    return ".".join(parts[:max(1, len(parts) - 1)]) or name


def assign_tensors(network: tf.keras.Model, tensors: Mapping[str, np.ndarray], names: Mapping[str, str | None],
                   path: str | Path, unused: Collection[str] = ()) -> Assignment:
    """Fills the layers of a network, all of them or, where a tensor is wrong, none; one line of the log says with what.

    Args:
        network: Network whose layers with weights are filled, those of networks inside it too. A layer may say itself what
            fills it: its `torch_parts` are pairs, one for each weight in their order, of the last part of the tensor's
            name and the order of its axes in Keras.
        tensors: Tensors by name, as `read_state_dict` returns them.
        names: From the path of each layer with weights (see `weights_by_path`) to the prefix of its tensors, which may be
            empty; a layer whose prefix is None stays as it is.
        path: File that the tensors come from, for the messages.
        unused: Names, or prefixes, of tensors that the network has no layer for, such as those of a classifier left out.

    Raises:
        UserError: A tensor that is absent, of another shape or kind, not finite, or for which there is no layer.
    """
    values, untouched = {}, []
    for layer, weights, parts in _parts_by_path(network):
        if names[layer] is None:
            untouched.append(layer)
            continue
        for weight, (part, axes) in zip(weights, parts, strict=True):
            tensor = f"{names[layer]}.{part}" if names[layer] else part
            values[tensor] = weight, _fitting(tensors, tensor, axes, layer, weight, path)
    left = [name for name in tensors if name not in values and not name.endswith("num_batches_tracked")]
    strange = [name for name in left if not any(name == prefix or name.startswith(f"{prefix}.") for prefix in unused)]
    if strange:
        raise _misfit(network.name, path, f"{len(strange)} tensors that it has no layer for, {strange[0]} among them")
    for weight, array in values.values():
        weight.assign(array)
    assignment = Assignment(tuple(values), tuple(left), tuple(untouched))
    logging.info("%s for %s: %s.", Path(path).name, network.name, assignment)
    return assignment


def weights_by_path(network: tf.keras.Model) -> Iterator[tuple[str, list[tf.Variable]]]:
    """Yields the path of each layer with weights, and these: "conv1_conv", or "solar_c4/f" where a layer has layers.

    Layers of a network inside the network go by their own names.
    """
    for path, weights, _ in _parts_by_path(network):
        yield path, weights


def _parts_by_path(network: tf.keras.Model) -> Iterator[tuple[str, list[tf.Variable], Sequence[tuple[str, Axes]]]]:
    """Yields path, weights, and for each weight the last part of its tensor's name and the order of the axes, if unusual."""
    for layer in network.layers:
        if isinstance(layer, tf.keras.Model):
            yield from _parts_by_path(layer)
            continue
        if hasattr(layer, "torch_parts"):
            yield layer.name, layer.weights, tuple(layer.torch_parts)
            continue
        for part in (layer, *(part for part in layer.submodules if isinstance(part, tf.keras.layers.Layer))):
            inside = {id(weight) for inner in part.submodules if isinstance(inner, tf.keras.layers.Layer)
                      for weight in inner.weights}
            own = [weight for weight in part.weights if id(weight) not in inside]
            if own:
                yield layer.name if part is layer else f"{layer.name}/{part.name}", own, _usual_parts(own)


def _usual_parts(weights: Sequence[tf.Variable]) -> list[tuple[str, None]]:
    return [(_PARTS.get(own, own), None) for own in map(_own_name, weights)]


def _own_name(weight: tf.Variable) -> str:
    return weight.name.rsplit("/", 1)[-1].split(":")[0]


def _fitting(tensors: Mapping[str, np.ndarray], name: str, axes: Axes, layer: str, weight: tf.Variable,
             path: str | Path) -> np.ndarray:
    if name not in tensors:
        raise _misfit(layer, path, f"none named {name}")
    array = tensors[name]
    turned = _turned(array, weight) if axes is None else array.transpose(axes) if len(axes) == array.ndim else array
    if turned.shape != tuple(weight.shape) or not np.issubdtype(array.dtype, np.floating):
        raise _misfit(layer, path, f"{name} {array.dtype} {list(array.shape)}")
    if not np.isfinite(turned).all():
        raise _misfit(layer, path, f"{name}, which is not finite")
    return turned


def _turned(array: np.ndarray, weight: tf.Variable) -> np.ndarray:
    """Returns an array in Keras' layout: [O,I,h,w] to [h,w,I,O], depthwise [C,1,h,w] to [h,w,C,1], [O,I] to [I,O].

    A 1x1 convolution [O,I,1,1] that is a dense layer here becomes [I,O], and a number [1] a scalar.
    """
    dimensions = len(weight.shape)
    if array.ndim == 4 and dimensions == 2 and array.shape[2:] == (1, 1):
        array = array[..., 0, 0]
    elif array.shape == (1,) and dimensions == 0:
        array = array[0]
    if array.ndim == 4:
        return array.transpose((2, 3, 0, 1) if _own_name(weight) == "depthwise_kernel" else (2, 3, 1, 0))
    return np.asarray(array).T


def _misfit(part: str, path: str | Path, received: str) -> UserError:
    return UserError(f"tensors for {part} in {path}", received, "Choose the file of the same backbone.")
