"""Replaces the variables of a SavedModel by constants."""

import math
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.optimise.frozen_model import FrozenModel, FrozenSignature
from landmark_zoo.serving.optimise.function_body import CONSTANT
from landmark_zoo.serving.optimise.push_constants import ConstantPusher

LIMIT = 2 * 10**9
"""Bytes of weights; a graph is one protocol buffer, which cannot hold more than 2 GiB."""


def freeze(path: str | Path, limit: int = LIMIT) -> FrozenModel:
    """Reads a SavedModel and makes constants of its variables, inside every function that uses them.

    Args:
        path: `<name>/<version>`.
        limit: Bytes that the variables may take.

    Raises:
        UserError: No readable SavedModel there, or one with more weights than a graph can hold.
    """
    graph, signatures, weights = _read(Path(path), limit)
    nodes = {node.name: node for node in graph.node}
    pusher = ConstantPusher({function.signature.name: function for function in graph.library.function}, weights)
    found = {}
    for name, signature in signatures.items():
        outputs = {key: info.name.split(":") for key, info in signature.outputs.items()}
        call = nodes[next(iter(outputs.values()))[0]]
        keywords = {info.name.partition(":")[0]: (key, tf.TensorSpec(
            tf.TensorShape(info.tensor_shape), tf.as_dtype(info.dtype), name=key)) for key, info in signature.inputs.items()}
        data = [reference.partition(":")[0] for reference in call.input if not reference.startswith("^")]
        known = {position: f"{CONSTANT}{node}" for position, node in enumerate(data) if f"{CONSTANT}{node}" in weights}
        found[name] = FrozenSignature(
            function=pusher.specialised(call.attr["f"].func.name, known),
            inputs=tuple(keywords[node] for position, node in enumerate(data) if position not in known),
            outputs={key: int(number) for key, (_, number) in outputs.items()})
    return FrozenModel(pusher.functions, weights, found)


def _read(path: Path, limit: int):
    """Returns graph and signatures of a SavedModel, and the values of its variables and constants."""
    try:
        with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
            meta = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
            definition = graph.as_graph_def()
            _check_size(definition, path, limit)
            values = {node.name: tf.raw_ops.ReadVariableOp(resource=graph.get_tensor_by_name(f"{node.name}:0"),
                                                           dtype=node.attr["dtype"].type)
                      for node in definition.node if node.op == "VarHandleOp"}
            values = session.run(values)
    except (OSError, RuntimeError, ValueError, tf.errors.OpError) as error:
        raise UserError(f"a readable SavedModel at {path}", str(error).splitlines()[0], "Export the model again.") from error
    values |= {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in definition.node if node.op == "Const"}
    signatures = {name: signature for name, signature in meta.signature_def.items() if not name.startswith("__")}
    return definition, signatures, {f"{CONSTANT}{name}": value for name, value in values.items()}


def _check_size(graph, path: Path, limit: int) -> None:
    size = sum(math.prod(dimension.size for dimension in node.attr["shape"].shape.dim)
               * tf.as_dtype(node.attr["dtype"].type).size for node in graph.node if node.op == "VarHandleOp")
    if size > limit:
        raise UserError(f"weights of at most {limit / 1e9:g} GB at {path}, for they become part of a graph",
                        f"{size / 1e9:.2f} GB", "Use the model as it was exported.")
