"""Batch normalisation that follows a convolution becomes part of the convolution."""

from collections import Counter

import numpy as np

from landmark_zoo.serving.optimise.frozen_model import FrozenModel
from landmark_zoo.serving.optimise.function_body import CONSTANT, FunctionBody

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")
_DEFAULT_EPSILON = 1e-4
"""Of the operation FusedBatchNormV3, where a saved graph does not state it."""


def fold_batch_norm(model: FrozenModel) -> int:
    """Folds every inference-mode batch normalisation into the convolution before it, and returns how many it folded.

    `gamma (W x + b - mean) / sqrt(variance + epsilon) + beta` is a convolution with the kernel `W s` and the bias
    `(b - mean) s + beta`, where `s = gamma / sqrt(variance + epsilon)`. Convolutions whose result something else reads too
    are left, as are normalisations that follow no convolution.

    Args:
        model: Is changed in place.
    """
    return sum(_fold_function(definition, model.weights) for definition in model.functions.values())


def _fold_function(definition, weights: dict[str, np.ndarray]) -> int:
    body = FunctionBody(definition)
    readers = body.readers()
    found = [node for node in body.nodes.values() if node.op.startswith("FusedBatchNorm")]
    folded = {f"{node.name}:y:0": result for node in found if (result := _fold(body, node, readers, weights))}
    if folded:
        body.redirect(folded)
        body.write_back()
    return len(folded)


def _fold(body: FunctionBody, node, readers: Counter, weights: dict[str, np.ndarray]) -> str | None:
    """Adds what a normalisation becomes, and returns the reference to its result; None where it must stay."""
    statistics = [body.weight(reference) for reference in node.input[1:5]]
    before = body.producer(node.input[0])
    biased = before is not None and before.op == "BiasAdd"
    convolution = body.producer(before.input[0]) if biased else before
    inference = "is_training" in node.attr and not node.attr["is_training"].b
    if not inference or None in statistics or convolution is None or convolution.op not in _CONVOLUTIONS:
        return None
    kernel, bias = body.weight(convolution.input[1]), body.weight(before.input[1]) if biased else ""
    if kernel is None or bias is None or max(readers[convolution.name], readers[before.name]) > 1:
        return None
    epsilon = node.attr["epsilon"].f if "epsilon" in node.attr else _DEFAULT_EPSILON
    names = [f"{CONSTANT}folded/{part}/{kernel}/{bias}/{'/'.join(statistics)}" for part in ("kernel", "bias")]
    if names[0] not in weights:
        weights.update(zip(names, _folded(weights[kernel], weights[bias] if bias else 0, convolution.op,
                                          *(weights[name] for name in statistics), epsilon), strict=True))
    dtype = node.attr["T"]
    layout = {"data_format": node.attr["data_format"]} if "data_format" in node.attr else {}
    convolution.input[1] = body.add_weight(f"{node.name}/kernel", names[0], dtype.type)
    result = body.add(f"{node.name}/folded", "BiasAdd", [
        before.input[0] if biased else node.input[0], body.add_weight(f"{node.name}/bias", names[1], dtype.type)],
        T=dtype, **layout)
    return f"{result}:output:0"


def _folded(kernel: np.ndarray, bias: np.ndarray | int, operation: str, gamma: np.ndarray, beta: np.ndarray,
            mean: np.ndarray, variance: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the kernel [h, w, C, D] and the bias of the convolution that does both; float64 inside."""
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    per_filter = scale.reshape(kernel.shape[2:]) if operation == "DepthwiseConv2dNative" else scale
    return (kernel * per_filter).astype(kernel.dtype), ((bias - mean) * scale + beta).astype(kernel.dtype)
