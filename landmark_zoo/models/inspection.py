"""Inspection of a model: parameters and multiply-accumulates, attention maps, weights, its part behind the backbone."""

import dataclasses
import functools
import hashlib
import math

import numpy as np
import tensorflow as tf

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.base import GATE, SIGNED, Attention
from landmark_zoo.layers.attention.registry import ATTENTION, map_kinds
from landmark_zoo.layers.pooling.registry import POOLING

CONTRACTIONS = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "Einsum", "Conv2DBackpropInput")


def multiply_accumulates(function, *specs: tf.TensorSpec) -> int:
    """Counts the multiply-accumulates of all convolutions and matrix products that a call runs.

    Element-wise work (activations, gates, normalisations) is not counted, as is the field's habit.

    Args:
        function: A model, layer or plain function of tensors.
        *specs: Its arguments; every axis must be known.

    Raises:
        ValueError: An operation whose shape is not known.
    """
    graph = tf.function(function).get_concrete_function(*specs).graph
    return sum(_contraction(operation) for operation in graph.get_operations() if operation.type in CONTRACTIONS)


def _contraction(operation: tf.Operation) -> int:
    output = _size(operation.outputs[0])
    if operation.type == "Conv2D":
        height, width, channels, _ = operation.inputs[1].shape
        return output * height * width * channels
    if operation.type == "DepthwiseConv2dNative":
        height, width = operation.inputs[1].shape[:2]
        return output * height * width
    if operation.type == "Conv2DBackpropInput":
        height, width, channels, _ = operation.inputs[1].shape
        return _size(operation.inputs[2]) * height * width * channels
    if operation.type == "Einsum":
        return _einsum(operation)
    transposed = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
    return output * operation.inputs[0].shape[-2 if transposed else -1]


def _einsum(operation: tf.Operation) -> int:
    terms = operation.get_attr("equation").decode().split("->")[0].split(",")
    sizes = {letter: size for term, tensor in zip(terms, operation.inputs, strict=True)
             for letter, size in zip(term, tensor.shape, strict=True)}
    if None in sizes.values():
        raise ValueError(f"multiply_accumulates: expected known shapes; received {operation.name}: {sizes}.")
    return math.prod(sizes.values()) if len(terms) > 1 else 0


def _size(tensor: tf.Tensor) -> int:
    if not tensor.shape.is_fully_defined():
        raise ValueError(f"multiply_accumulates: expected known shapes; received {tensor.name}: {tensor.shape}.")
    return tensor.shape.num_elements()


@dataclasses.dataclass(frozen=True)
class Costs:
    """Size and work of a model without its head.

    Attributes:
        parameters: Number of weights, statistics of BatchNorm included.
        macs: Multiply-accumulates of one image.
        embedding: Length of the embedding.
    """

    parameters: int
    macs: int
    embedding: int


def costs(backbone: str, attention: str | None, pooling: str, embedding_dim: int, height: int, width: int) -> Costs:
    """Adds up backbone, block, pooling and embedding layer; backbone and block are counted once and remembered.

    Args:
        backbone: A name of `BACKBONES`.
        attention: A name of `ATTENTION`, on the last feature map, or None.
        pooling: A name of `POOLING`.
        embedding_dim: Length of the embedding.
        height: Height of the image, pixels.
        width: Width of the image, pixels.
    """
    parameters, macs, shape = _backbone(backbone, height, width)
    if attention is not None:
        block = _layer("attention", attention, shape)
        parameters, macs = parameters + block[0], macs + block[1]
    pool = _layer("pooling", pooling, shape)
    projection = pool[2] * embedding_dim
    return Costs(parameters + pool[0] + projection + embedding_dim, macs + pool[1] + projection, embedding_dim)


@functools.cache
def _backbone(name: str, height: int, width: int) -> tuple[int, int, tuple[int, ...]]:
    model = build_backbone(name, taps=("C5",))
    spec = tf.TensorSpec([1, height, width, 3])
    stride = BACKBONES[name].strides["C5"]
    shape = (-(-height // stride), -(-width // stride), model.output_shape["C5"][-1])
    return model.count_params(), multiply_accumulates(model, spec), shape


@functools.cache
def _layer(kind: str, name: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    layer = ATTENTION[name].create() if kind == "attention" else POOLING[name]()
    spec = tf.TensorSpec([1, *shape])
    macs = multiply_accumulates(layer, spec)
    return layer.count_params(), macs, int(layer.compute_output_shape([1, *shape])[-1])


def on_features(model: tf.keras.Model) -> tuple[tf.keras.Model, tf.keras.Model]:
    """Cuts a model behind its backbone; both parts share its layers, so that what trains a part trains the model.

    After the cut the layers of the second part stand in two graphs: `layer.get_input_at(-1)` is their input in that part.

    Args:
        model: Model of `models.build_model`; attention must stand behind the backbone (placement "end") or nowhere.

    Returns:
        The part from images [B, H, W, 3] (RGB, 0..255) to the backbone's last feature map [B, h, w, C], preprocessing
        included, and the part from that feature map to the model's dict of outputs. "feature_map" is missing from the
        dict where nothing stands between backbone and pooling.

    Raises:
        UserError: Attention inside the backbone, or a model that needs more of the backbone than its last feature map.
    """
    networks = [layer for layer in model.layers if isinstance(layer, tf.keras.Model)]
    outputs = networks[0].get_output_at(-1) if len(networks) == 1 else None
    if not isinstance(outputs, dict) or set(outputs) != {"C5"}:
        found = f"outputs {', '.join(sorted(outputs))}" if isinstance(outputs, dict) else f"{len(networks)} backbones"
        raise UserError(f"{model.name} to use nothing of its backbone but the last feature map", found,
                        "Use --placement=end, or train the whole model.")
    features = outputs["C5"]
    behind = {name: output for name, output in model.output.items() if output is not features}
    return (tf.keras.Model(model.input, features, name=f"{model.name}_to_features"),
            tf.keras.Model(features, behind, name=f"{model.name}_on_features"))


FEATURE_NORM = "feature norm"


def attention_maps(model: tf.keras.Model, image: tf.Tensor) -> dict[str, np.ndarray]:
    """Returns the attention maps of an image, one array for each.

    A map with locations is averaged over its channels. One of channels alone has no plane: it stays a vector.

    Args:
        model: Model of `models.build_model`.
        image: [H, W, 3], RGB, 0..255.

    Returns:
        From output name ("attention/cbam_spatial") to float32 [h, w], or [C] of channels alone; and, which is no attention,
        `FEATURE_NORM`: [h, w], the length of the pooled feature map's vector at each location.
    """
    outputs, maps = model(image[tf.newaxis], training=False), {}
    for name, values in outputs.items():
        if name.startswith("attention/"):
            values = tf.cast(values[0], tf.float32)
            alone = values.shape[0] * values.shape[1] == 1 and values.shape[2] > 1
            maps[name] = (values[0, 0] if alone else tf.reduce_mean(values, axis=-1)).numpy()
    return {**maps, FEATURE_NORM: tf.norm(tf.cast(outputs["feature_map"][0], tf.float32), axis=-1).numpy()}


def attention_kinds(model: tf.keras.Model) -> dict[str, str]:
    """Returns the kind (`layers.attention.base.MAP_KINDS`) of each output "attention/..." of a model."""
    kinds = {"abn": GATE}
    for layer in model.submodules:
        if isinstance(layer, Attention):
            kinds |= map_kinds(layer)
    names = [name for name in model.output if name.startswith("attention/")]
    return {name: kinds.get(name.rpartition("/")[2], SIGNED) for name in names}


def gated_features(model: tf.keras.Model, image: tf.Tensor, name: str) -> np.ndarray | None:
    """Returns the feature map whose channels an attention map weighs.

    Args:
        model: Model of `models.build_model`.
        image: [H, W, 3], RGB, 0..255.
        name: Output name of the map, e.g. "attention/se" or "attention/se_c4/se".

    Returns:
        float32 [h, w, C], the input of the block; None where the block is part of a larger layer.
    """
    _, *block, key = name.split("/")
    for network in (model, *(layer for layer in model.layers if isinstance(layer, tf.keras.Model))):
        for layer in network.layers:
            if isinstance(layer, Attention) and key in map_kinds(layer) and block in ([], [layer.name]):
                inputs = image[tf.newaxis]
                if network is not model:
                    inputs = tf.keras.Model(model.input, network.get_input_at(-1))(inputs, training=False)
                features = tf.keras.Model(network.input, layer.get_input_at(0))(inputs, training=False)
                return tf.cast(features[0], tf.float32).numpy()
    return None


def weights_fingerprint(model: tf.keras.Model) -> str:
    """Returns a SHA-256 over shape, type and values of every weight, in order; names do not count."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(f"{weight.dtype} {weight.shape}\n".encode())
        digest.update(weight.tobytes())
    return digest.hexdigest()
