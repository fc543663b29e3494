"""What a model costs: parameters and multiply-accumulates."""

import math

import tensorflow as tf

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
