"""SavedModels whose variables are constants."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_directory

LIMIT = 2 * 10**9
"""Bytes of weights; a graph is one protocol buffer, which cannot hold more than 2 GiB."""


def freeze(saved_model: str | Path, path: str | Path, limit: int = LIMIT) -> None:
    """Writes a SavedModel with constants in the place of variables, all of it or nothing; its signatures stay the same.

    TensorFlow folds constants into what follows them when it loads the model. A weight that several signatures use is
    written once.

    Args:
        saved_model: `<name>/<version>`, of this project or any other.
        path: The folder to write, which does not exist yet.
        limit: Bytes that the variables may take.

    Raises:
        UserError: No readable SavedModel there, one with more weights than a graph can hold, or one that changes
            its variables or reads parts of them.
    """
    graph, signatures = _frozen_graph(Path(saved_model), limit)
    _share_constants(graph)
    _push_constants(graph)
    module = tf.Module(name="landmark_model")
    try:
        module.functions = {name: _function(graph, signature) for name, signature in signatures.items()}
    except ValueError as error:
        raise UserError(f"a SavedModel at {saved_model} that only reads its variables as a whole",
                        str(error).strip().splitlines()[-1].strip(), "Use the model as it was exported.") from error
    with atomic_directory(path) as temporary:
        tf.saved_model.save(module, str(temporary), signatures=module.functions)


def _frozen_graph(path: Path, limit: int):
    """Returns the graph of all signatures without variables, and the signatures by name."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # both functions are said to be deprecated, and have no public successor
    try:
        with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
            meta = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
            definition = graph.as_graph_def()
            _check_size(definition, path, limit)
            digest = hashlib.sha256(definition.SerializeToString(deterministic=True)).hexdigest()[:12]
            _rename(definition, {function.signature.name: f"{function.signature.name}_of_{digest}_"
                                 for function in definition.library.function})  # unique names in a process
            signatures = {name: signature for name, signature in meta.signature_def.items() if not name.startswith("__")}
            outputs = {_node(info) for signature in signatures.values() for info in signature.outputs.values()}
            frozen = tf.compat.v1.graph_util.convert_variables_to_constants(session, definition, sorted(outputs))
    except (OSError, RuntimeError, ValueError, tf.errors.OpError) as error:
        raise UserError(f"a readable SavedModel at {path}", str(error).splitlines()[0], "Export the model again.") from error
    finally:
        logger.setLevel(level)
    # The conversion leaves a call its old function's name where a variable is read for it, and the shapes of variables.
    names = [function.signature.name for function in frozen.library.function]
    _rename(frozen, {name.rpartition("_frozen_")[0]: name for name in names if "_frozen_" in name})
    for node in _nodes(frozen):
        node.attr.pop("_output_shapes", None)
    return frozen, signatures


def _check_size(graph, path: Path, limit: int) -> None:
    size = sum(math.prod(dimension.size for dimension in node.attr["shape"].shape.dim)
               * tf.as_dtype(node.attr["dtype"].type).size for node in graph.node if node.op == "VarHandleOp")
    if size > limit:
        raise UserError(f"weights of at most {limit / 1e9:g} GB at {path}, for they become part of a graph",
                        f"{size / 1e9:.2f} GB", "Use the model as it was exported.")


def _node(info) -> str:
    return info.name.partition(":")[0]


def _nodes(graph) -> Iterator:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def _called(node) -> list:
    """Returns the functions that a node mentions."""
    return [function for value in node.attr.values()
            for function in ([value.func] if value.HasField("func") else value.list.func)]


def _rename(graph, names: Mapping[str, str]) -> None:
    for named in [*(function.signature for function in graph.library.function),
                  *(called for node in _nodes(graph) for called in _called(node))]:
        named.name = names.get(named.name, named.name)


def _share_constants(graph) -> None:
    """Makes a function without arguments of each constant, so that all signatures and functions can share it."""
    names = set()
    for node in graph.node:
        if node.op == "Const":
            value, dtype = node.attr["value"].tensor, node.attr["dtype"].type
            name = f"constant_{hashlib.sha256(value.SerializeToString(deterministic=True)).hexdigest()[:24]}"
            if name not in names:
                names.add(name)
                constant = graph.library.function.add(ret={"output": "value:output:0"})
                constant.signature.name = name
                constant.signature.output_arg.add(name="output", type=dtype)
                constant.node_def.add(name="value", op="Const").attr["dtype"].type = dtype
                constant.node_def[0].attr["value"].tensor.CopyFrom(value)
            node.CopyFrom(_call(node.name, name, dtype))


def _call(name: str, constant: str, dtype: int):
    node = tf.compat.v1.NodeDef(name=name, op="PartitionedCall")
    node.attr["f"].func.name = constant
    node.attr["Tin"].list.SetInParent()
    node.attr["Tout"].list.type.append(dtype)
    return node


def _push_constants(graph) -> None:
    """Brings constants into the functions that get them as arguments, for TensorFlow folds none that enter a loop.

    The arguments stay, unread.
    """
    functions = {function.signature.name: function for function in graph.library.function}
    known = {"": {node.name: node.attr["f"].func.name for node in graph.node
                  if node.op == "PartitionedCall" and not node.input}}
    while (found := _known_arguments(graph, functions, known)) != known:
        known = found
    for name, function in functions.items():
        for argument in function.signature.input_arg:
            if argument.name in known.get(name, {}):
                constant = _call(f"{argument.name}/constant", known[name][argument.name], argument.type)
                for node in function.node_def:
                    node.input[:] = [f"{constant.name}:output:0" if reference == argument.name else reference
                                     for reference in node.input]
                function.node_def.append(constant)


def _known_arguments(graph, functions: dict, known: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Returns, by function, the constants of those arguments that are the same constant wherever it is called."""
    handed = defaultdict(set)
    for scope, nodes in [("", graph.node), *((name, function.node_def) for name, function in functions.items())]:
        for node in nodes:
            constants = known.get(scope, {})
            given = [constants.get(reference.removesuffix(":0")) for reference in node.input if reference[0] != "^"]
            if node.op in ("While", "StatelessWhile"):
                kept = _kept(functions[node.attr["body"].func.name])
                given = [constant if keeps else None for constant, keeps in zip(given, kept, strict=True)]
            elif node.op in ("If", "StatelessIf", "Case", "StatelessCase"):
                given = given[1:]
            elif not node.op.endswith("PartitionedCall"):
                given = []
            for called in _called(node):
                arguments = functions[called.name].signature.input_arg if called.name in functions else ()
                for argument, constant in zip_longest(arguments, given[:len(arguments)]):
                    handed[called.name, argument.name].add(constant)
    found = {"": known[""]}
    for (name, argument), constants in handed.items():
        if len(constants) == 1 and None not in constants:
            found.setdefault(name, {})[argument] = next(iter(constants))
    return found


def _kept(body) -> list[bool]:
    """Returns which values of a loop its body hands on as they were."""
    identities = {f"{node.name}:output:0": node.input[0] for node in body.node_def if node.op == "Identity"}
    results = [body.ret[output.name] for output in body.signature.output_arg]
    return [identities.get(result, result) == argument.name
            for result, argument in zip(results, body.signature.input_arg, strict=True)]


def _function(graph, signature):
    """Returns the concrete function of one signature."""
    outputs = {key: info.name for key, info in signature.outputs.items()}
    part = tf.compat.v1.graph_util.extract_sub_graph(graph, sorted({_node(info) for info in signature.outputs.values()}))

    def run(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        found = tf.graph_util.import_graph_def(part, {signature.inputs[key].name: tensor for key, tensor in inputs.items()},
                                               list(outputs.values()), name="")
        for tensor, info in zip(found, signature.outputs.values(), strict=True):
            tensor.set_shape(tf.TensorShape(info.tensor_shape))
        return dict(zip(outputs, found, strict=True))

    return tf.function(run, autograph=False).get_concrete_function(**{
        key: tf.TensorSpec(tf.TensorShape(info.tensor_shape), tf.as_dtype(info.dtype), name=key)
        for key, info in signature.inputs.items()})
