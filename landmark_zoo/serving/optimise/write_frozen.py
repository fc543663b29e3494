"""Writes a frozen model as a SavedModel."""

import hashlib
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.files import atomic_directory
from landmark_zoo.serving.optimise.frozen_model import FrozenModel, FrozenSignature
from landmark_zoo.serving.optimise.function_body import function_calls


def write_frozen(model: FrozenModel, path: str | Path) -> None:
    """Writes a SavedModel with the signatures of `model`, all of it or nothing; a weight that several use stands there once.

    Args:
        model: The frozen model.
        path: `<name>/<version>`, which does not exist yet.
    """
    library = _library(model)
    module = tf.Module(name="landmark_model")
    module.functions = {name: _function(library, model.functions[signature.function].signature, signature)
                        for name, signature in model.signatures.items()}
    with atomic_directory(path) as temporary:
        tf.saved_model.save(module, str(temporary), signatures=module.functions)


def _library(model: FrozenModel) -> dict:
    """Returns all functions by their old names; the new names of two models are not alike, as TensorFlow wants it."""
    kind = type(next(iter(model.functions.values())))
    used = {call.name for function in model.functions.values() for call in function_calls(function.node_def)}
    library = {name: kind.FromString(function.SerializeToString()) for name, function in model.functions.items()}
    library |= {name: _constant(kind, name, array) for name, array in model.weights.items() if name in used}
    digest = hashlib.sha256()
    for function in library.values():
        digest.update(function.SerializeToString(deterministic=True))
    names = {name: f"{name.replace('/', '_')}_{digest.hexdigest()[:12]}" for name in library}
    for name, function in library.items():
        function.signature.name = names[name]
        for called in function_calls(function.node_def):
            called.name = names.get(called.name, called.name)
    return library


def _constant(kind: type, name: str, array: np.ndarray):
    """Returns a function without arguments that gives an array."""
    function = kind()
    function.signature.name = name
    dtype = tf.as_dtype(array.dtype).as_datatype_enum
    function.signature.output_arg.add(name="output", type=dtype)
    node = function.node_def.add(name="value", op="Const")
    node.attr["dtype"].type = dtype
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
    function.ret["output"] = "value:output:0"
    return function


def _function(library: dict, definition, signature: FrozenSignature):
    """Returns the concrete function of one signature."""
    graph = tf.compat.v1.GraphDef(library={"function": library.values()})
    graph.versions.producer = tf.version.GRAPH_DEF_VERSION
    for key, spec in signature.inputs:
        graph.node.add(name=key, op="Placeholder").attr["dtype"].type = spec.dtype.as_datatype_enum
    call = graph.node.add(name="call", op="StatefulPartitionedCall" if definition.is_stateful else "PartitionedCall",
                          input=[key for key, _ in signature.inputs])
    call.attr["f"].func.name = library[signature.function].signature.name
    call.attr["Tin"].list.type.extend(argument.type for argument in definition.input_arg)
    call.attr["Tout"].list.type.extend(result.type for result in definition.output_arg)

    def run(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = tf.graph_util.import_graph_def(
            graph, input_map={f"{key}:0": tensor for key, tensor in inputs.items()},
            return_elements=[f"call:{number}" for number in signature.outputs.values()], name="")
        return dict(zip(signature.outputs, outputs, strict=True))

    return tf.function(run).get_concrete_function(**dict(signature.inputs))
