"""Inspection of a model: parameters and work, maps of what it looks at, weights, its part behind the backbone."""

import dataclasses
import functools
import hashlib
import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from absl import logging

from landmark_zoo.backbones.build import build_backbone
from landmark_zoo.core.errors import UserError
from landmark_zoo.layers.attention.base import GATE, MAP_KINDS, SIGNED, Attention
from landmark_zoo.layers.attention.ona import class_activation_maps
from landmark_zoo.layers.attention.registry import ATTENTION, map_kinds
from landmark_zoo.layers.embedding import EmbeddingLayer
from landmark_zoo.layers.heads.softmax import Head
from landmark_zoo.layers.pooling.global_pooling import MAC, GeM, SPoC
from landmark_zoo.layers.registry import POOLING

CONTRACTIONS = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "Einsum", "Conv2DBackpropInput")


def multiply_accumulates(function, *specs: tf.TensorSpec) -> int:
    """Counts the multiply-accumulates of all convolutions and matrix products that a call runs.

    Element-wise work (activations, gates, normalisations) is not counted, as is the field's habit.

    Args:
        function: A model, layer or plain function of tensors, or a concrete function.
        *specs: Its arguments; every axis must be known.

    Raises:
        ValueError: An operation whose shape is not known.
    """
    if not isinstance(function, tf.types.experimental.ConcreteFunction):
        function = tf.function(function).get_concrete_function(*specs)
    return sum(_contraction(operation) for operation in function.graph.get_operations() if operation.type in CONTRACTIONS)


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
    shape = tuple(model.compute_output_shape([1, height, width, 3])["C5"][1:])
    return model.count_params(), multiply_accumulates(model, spec), shape


@functools.cache
def _layer(kind: str, name: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    layer = ATTENTION[name].create() if kind == "attention" else POOLING[name]()
    spec = tf.TensorSpec([1, *shape])
    macs = multiply_accumulates(layer, spec)
    return layer.count_params(), macs, int(layer.compute_output_shape([1, *shape])[-1])


def to_features(model: tf.keras.Model) -> tf.keras.Model:
    """Returns the part of a model from images to its backbone's last feature map; the model stays as it is.

    Args:
        model: Model of `models.build_model`; attention must stand behind the backbone (placement "end") or nowhere.

    Returns:
        Images [B, H, W, 3] (RGB, 0..255) to [B, h, w, C], preprocessing included.

    Raises:
        UserError: Attention inside the backbone, or a model that needs more of the backbone than its last feature map.
    """
    networks = [layer for layer in model.layers if isinstance(layer, tf.keras.Model)]
    outputs = networks[0].get_output_at(-1) if len(networks) == 1 else None
    if not isinstance(outputs, dict) or set(outputs) != {"C5"}:
        found = f"outputs {', '.join(sorted(outputs))}" if isinstance(outputs, dict) else f"{len(networks)} backbones"
        raise UserError(f"{model.name} to use nothing of its backbone but the last feature map", found,
                        "Use --placement=end, or train the whole model.")
    return tf.keras.Model(model.input, outputs["C5"], name=f"{model.name}_to_features")


def on_features(model: tf.keras.Model) -> tuple[tf.keras.Model, tf.keras.Model]:
    """Cuts a model behind its backbone; both parts share its layers, so that what trains a part trains the model.

    After the cut the layers of the second part stand in two graphs: `layer.get_input_at(-1)` is their input in that part.

    Args:
        model: See `to_features`.

    Returns:
        `to_features(model)`, and the part from its feature map to the model's dict of outputs. "feature_map" is missing from
        the dict where nothing stands between backbone and pooling.

    Raises:
        UserError: See `to_features`.
    """
    first = to_features(model)
    behind = {name: output for name, output in model.output.items() if output is not first.output}
    return first, tf.keras.Model(first.output, behind, name=f"{model.name}_on_features")


FEATURE_NORM, CLASS_ACTIVATION, NORM = "feature_norm", "class_activation", "norm"
MAP_MEANINGS = {**MAP_KINDS, NORM: "a number of 0 or more, which counts beside the largest of its image"}
"""Kinds of all maps that show what a model looks at, and what their values mean."""
LARGEST_CLASSIFIER = 16.0
"""Megabytes of a head that leaves with its model unless told otherwise: 7,800 classes at 512 dimensions."""
_KEEP_CHANNELS = (GeM, SPoC, MAC, tf.keras.layers.GlobalAveragePooling2D)
_VECTORS = "classifier_input"


@dataclasses.dataclass(frozen=True)
class Classifier:
    """Head of a model, and what stands between it and the pooling of the feature map.

    Attributes:
        head: Head that gives the logits.
        projection: Embedding or dense layer before it; None for none.
        vectors: Input of the head, symbolic [B, D].
    """

    head: Head
    projection: tf.keras.layers.Layer | None
    vectors: tf.Tensor

    @property
    def megabytes(self) -> float:
        """Size of the head's weights, in 10^6 bytes."""
        return 4e-6 * self.head.count_params()


def find_classifier(model: tf.keras.Model) -> Classifier | None:
    """Returns the classifier of a model in which every class has a weight for each channel of the feature map, or None.

    So has a head of this project behind a pooling that keeps channels apart (GeM, SPoC, MAC, mean), with or without a linear
    layer between them; not one behind NetVLAD, regions or several dense layers.

    Args:
        model: Images to a dict of outputs.
    """
    makers = {id(layer.get_output_at(node)): (layer, layer.get_input_at(node)) for layer in model.layers for node in (0, -1)}
    head, vectors = makers.get(id(model.output.get("logits")), (None, None))
    layer, inputs = makers.get(id(vectors), (None, None))
    projection = layer if isinstance(layer, EmbeddingLayer) or (
        isinstance(layer, tf.keras.layers.Dense) and layer.activation is tf.keras.activations.linear) else None
    if projection is not None:
        layer, inputs = makers.get(id(inputs), (None, None))
    pooled = isinstance(layer, _KEEP_CHANNELS) and inputs is model.output.get("feature_map")
    return Classifier(head, projection, vectors) if isinstance(head, Head) and pooled else None


def exported_classifier(model: tf.keras.Model, wanted: bool | None = None) -> Classifier | None:
    """Returns the classifier that leaves with a model, or None.

    Args:
        model: Images to a dict of outputs.
        wanted: False for none; None for one of `LARGEST_CLASSIFIER` megabytes or less, where there is one.

    Raises:
        UserError: `wanted` is True and there is none.
    """
    classifier = None if wanted is False else find_classifier(model)
    if wanted and classifier is None:
        raise UserError("a model whose classifier stands on its pooled feature map for --class_activation", model.name,
                        "Leave --class_activation out.")
    if wanted is None and classifier is not None and classifier.megabytes > LARGEST_CLASSIFIER:
        logging.info("No class activation leaves with the model: its classifier would add %.0f MB (--class_activation).",
                     classifier.megabytes)
        return None
    return classifier


def class_activation(classifier: Classifier, features: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
    """Returns where the class of the largest logit is seen: float32 [B, h, w, 1] from 0 to 1, the largest of the image.

    The features of a location, through the linear layer, times the class's row of the head; below 0 it is cut (CAM; Zhou,
    Khosla, Lapedriza, Oliva, Torralba: Learning Deep Features for Discriminative Localization, CVPR 2016). As there, biases
    are left out. Normalisations weigh all locations alike and change nothing; GeM and MAC are taken for the mean, so that
    of them the map tells the sign and the place, and not the exact share, of what a location adds.

    Args:
        classifier: See `find_classifier`.
        features: Feature map as pooled, [B, h, w, C].
        vectors: Input of the head, [B, D].
    """
    weights = classifier.head.winning_rows(vectors)
    if classifier.projection is not None:
        weights = tf.matmul(weights, classifier.projection.kernel, transpose_b=True)
    each = tf.range(tf.shape(features)[0])[:, tf.newaxis]
    return class_activation_maps(tf.cast(features, tf.float32), tf.transpose(weights), each)


def attention_kinds(model: tf.keras.Model, classifier: Classifier | None = None) -> dict[str, str]:
    """Returns the kind (a key of `MAP_MEANINGS`) of each map of `maps_of`, in their order."""
    kinds = {"abn": GATE}
    for layer in model.submodules:
        if isinstance(layer, Attention):
            kinds |= map_kinds(layer)
    names = [name for name in model.output if name.startswith("attention/")]
    others = {CLASS_ACTIVATION: classifier, FEATURE_NORM: model.output.get("feature_map")}
    return ({name: kinds.get(name.rpartition("/")[2], SIGNED) for name in names}
            | {name: NORM for name, source in others.items() if source is not None})


def map_sources(model: tf.keras.Model, classifier: Classifier | None = None) -> dict[str, tf.Tensor]:
    """Returns the symbolic outputs of a model that `maps_of` takes."""
    kept = {name: output for name, output in model.output.items() if name.startswith("attention/") or name == "feature_map"}
    return kept if classifier is None else {**kept, _VECTORS: classifier.vectors}


def maps_of(outputs: Mapping[str, tf.Tensor], classifier: Classifier | None = None) -> dict[str, tf.Tensor]:
    """Returns the maps that show what a model looks at.

    Args:
        outputs: Values of `map_sources`; others beside them are not read.
        classifier: As `map_sources` was given it.

    Returns:
        From name to float32 [B, 1 or h, 1 or w, 1 or C]: the attention maps under their output names
        ("attention/cbam_spatial"), and, which are no attention, `CLASS_ACTIVATION` where there is a classifier, and
        `FEATURE_NORM`, the length of the pooled feature map's vector at each location.
    """
    maps = {name: tf.cast(values, tf.float32) for name, values in outputs.items() if name.startswith("attention/")}
    if classifier is not None:
        maps[CLASS_ACTIVATION] = class_activation(classifier, outputs["feature_map"], outputs[_VECTORS])
    if "feature_map" in outputs:
        maps[FEATURE_NORM] = tf.norm(tf.cast(outputs["feature_map"], tf.float32), axis=-1, keepdims=True)
    return maps


def drawable(values: np.ndarray) -> np.ndarray:
    """Returns what is drawn of a map [h, w, c]: its mean over channels [h, w], or, of channels alone, their vector [c]."""
    alone = values.shape[0] * values.shape[1] == 1 and values.shape[2] > 1
    return values[0, 0] if alone else values.mean(axis=-1)


def attention_maps(model: tf.keras.Model, image: tf.Tensor) -> dict[str, np.ndarray]:
    """Returns the maps of one image [H, W, 3] (RGB, 0..255) as they are drawn, by name; see `drawable` and `maps_of`."""
    return {name: drawable(values[0]) for name, values in maps_of_images(model, image[tf.newaxis]).items()}


def maps_of_images(model: tf.keras.Model, images: tf.Tensor) -> dict[str, np.ndarray]:
    """Returns the maps of `maps_of` for images, class activation included where there is a classifier.

    Args:
        model: Model of `models.build_model`.
        images: [B, H, W, 3], RGB, 0..255.
    """
    classifier = find_classifier(model)
    outputs = tf.keras.Model(model.input, map_sources(model, classifier))(images, training=False)
    return {name: values.numpy() for name, values in maps_of(outputs, classifier).items()}


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
