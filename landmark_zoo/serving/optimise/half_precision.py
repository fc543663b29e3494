"""Convolutions, and what stands between them, in 16 bits."""

import numpy as np
import tensorflow as tf

from landmark_zoo.serving.optimise.frozen_model import FrozenModel
from landmark_zoo.serving.optimise.function_body import CONSTANT, FunctionBody, type_attribute

_START = {"Conv2D": 2, "DepthwiseConv2dNative": 2}
_FOLLOW = {"BiasAdd": 2, "FusedBatchNormV3": 1, "Relu": 1, "Relu6": 1, "LeakyRelu": 1, "Sigmoid": 1, "AddV2": 2, "Mul": 2,
           "MaxPool": 1, "Pad": 1}
"""Operations and how many of their first inputs have the type T of their result."""


def half_precision(model: FrozenModel, dtype: tf.DType) -> int:
    """Brings convolutions to a 16-bit type, and what follows them up to the pooling; returns how many convolutions.

    Means, powers, products of matrices, softmax and norms stay float32, as do the inputs and results of the signatures.

    Args:
        model: Is changed in place.
        dtype: `tf.bfloat16` or `tf.float16`.
    """
    return sum(_bring(definition, model.weights, dtype) for definition in model.functions.values())


def _bring(definition, weights: dict[str, np.ndarray], dtype: tf.DType) -> int:
    body = FunctionBody(definition)
    half = _half_nodes(body)
    if not half:
        return 0
    casts: dict[tuple[str, str], str] = {}

    def cast(reference: str, target: tf.DType) -> str:
        """Returns a reference to a value of the other type, made once for all its readers."""
        key = (reference, target.name)
        if key not in casts:
            name, weight = reference.partition(":")[0], body.weight(reference)
            if weight is not None:
                casts[key] = body.add_weight(f"{name}/{target.name}", _rounded(weights, weight, target),
                                             target.as_datatype_enum)
            else:
                source = tf.float32 if target == dtype else dtype
                node = body.add(f"{name}/{target.name}", "Cast", [reference], SrcT=type_attribute(source),
                                DstT=type_attribute(target))
                casts[key] = f"{node}:y:0"
        return casts[key]

    for node in list(body.nodes.values()):
        count = {**_START, **_FOLLOW}[node.op] if node.name in half else 0
        for position, reference in enumerate(node.input):
            comes_half = _produces_half(reference, half)
            if position < count and not comes_half:
                node.input[position] = cast(reference, dtype)
            elif position >= count and comes_half:
                node.input[position] = cast(reference, tf.float32)
        if count:
            node.attr["T"].type = dtype.as_datatype_enum
    for output, reference in definition.ret.items():
        if _produces_half(reference, half):
            definition.ret[output] = cast(reference, tf.float32)
    body.write_back()
    return sum(body.nodes[name].op in _START for name in half)


def _half_nodes(body: FunctionBody) -> set[str]:
    """Returns the convolutions and, as far as it goes on without another operation, what reads them."""
    half = {node.name for node in body.nodes.values() if node.op in _START and _is_float(node)}
    following = [node for node in body.nodes.values() if node.op in _FOLLOW and _is_float(node)]
    size = -1
    while size != len(half):
        size = len(half)
        half |= {node.name for node in following
                 if any(_produces_half(reference, half) for reference in node.input[:_FOLLOW[node.op]])}
    return half


def _produces_half(reference: str, half: set[str]) -> bool:
    return reference.partition(":")[0] in half and (":batch_" not in reference and ":reserve_" not in reference)


def _is_float(node) -> bool:
    return "T" not in node.attr or node.attr["T"].type == tf.float32.as_datatype_enum  # float32 is what is left unsaid


def _rounded(weights: dict[str, np.ndarray], weight: str, dtype: tf.DType) -> str:
    name = f"{CONSTANT}{dtype.name}/{weight}"
    weights.setdefault(name, weights[weight].astype(dtype.as_numpy_dtype))
    return name
