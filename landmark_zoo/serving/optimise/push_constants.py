"""Constants that are handed from function to function become constants inside the function that uses them."""

import itertools

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.optimise.function_body import FunctionBody, function_calls

_CALLS = {"PartitionedCall": ["f"], "StatefulPartitionedCall": ["f"], "If": ["then_branch", "else_branch"],
          "StatelessIf": ["then_branch", "else_branch"]}
_LOOPS = ("While", "StatelessWhile")


class ConstantPusher:
    """Copies functions with some arguments replaced by constants.

    A variable stands where the program starts and is handed down through calls, branches and loops; where it is read it is
    one tensor of many, and nothing that needs to know its value (folding, the reordering of weights in oneDNN) finds it. A
    loop's argument counts as constant where each round hands on what it received.

    Args:
        functions: FunctionDefs by name.
        weights: Arrays by name.

    Attributes:
        functions: Only the specialised ones and what they call.
    """

    def __init__(self, functions: dict, weights: dict[str, np.ndarray]):
        self.functions: dict = {}
        self._originals, self._weights = functions, weights
        self._names: dict[tuple, str] = {}
        self._numbers = itertools.count()

    def specialised(self, name: str, known: dict[int, str], drop: tuple[int, ...] = ()) -> str:
        """Returns the name of a copy of a function.

        Args:
            name: Of the function.
            known: Number of an argument to the weight that takes its place.
            drop: Numbers of results that the copy does not have.
        """
        key = (name, tuple(sorted(known.items())), drop)
        if key not in self._names:
            self._names[key] = f"{name}_with_constants_{next(self._numbers)}"
            self._copy(self._originals[name], self._names[key], known, drop)
        return self._names[key]

    def _copy(self, original, name: str, known: dict[int, str], drop: tuple[int, ...]) -> None:
        definition = type(original)()
        definition.CopyFrom(original)
        definition.signature.name = name
        _drop_results(definition, drop)
        arguments = _drop_arguments(definition, known)
        body = FunctionBody(definition)
        drop_annotations(body)
        body.redirect({argument.name: body.add_weight(argument.name, known[position], self._dtype(known[position]))
                       for position, argument in arguments.items()})
        drop_identities(body)
        _drop_reads(body)
        for node in list(body.nodes.values()):
            constants = {position: weight for position, reference in enumerate(_data(node))
                         if (weight := body.weight(reference))}
            if node.op in _LOOPS:
                self._push_into_loop(body, node, constants)
            elif node.op in _CALLS and body.weight(node.name) is None:
                self._push_into_call(node, constants)
        body.write_back()
        self.functions[name] = definition
        for called in function_calls(definition.node_def):
            self._keep(called.name)

    def _dtype(self, weight: str) -> int:
        return tf.as_dtype(self._weights[weight].dtype).as_datatype_enum

    def _push_into_call(self, node, constants: dict[int, str]) -> None:
        first = 1 if node.op.endswith("If") else 0
        known = {position - first: weight for position, weight in constants.items() if position >= first}
        for attribute in _CALLS[node.op]:
            function = node.attr[attribute].func
            function.name = self.specialised(function.name, known)
        _keep_inputs(node, [position for position in range(len(_data(node))) if position - first not in known])
        _keep_items(node.attr["Tin"].list.type, known)

    def _push_into_loop(self, body: FunctionBody, node, constants: dict[int, str]) -> None:
        unchanged = self._handed_on(node.attr["body"].func.name)
        known = {position: weight for position, weight in constants.items() if position in unchanged}
        gone = tuple(sorted(known))
        node.attr["body"].func.name = self.specialised(node.attr["body"].func.name, known, drop=gone)
        node.attr["cond"].func.name = self.specialised(node.attr["cond"].func.name, known)
        inputs = _data(node)
        kept = [position for position in range(len(inputs)) if position not in known]
        moved = {f"{node.name}:output:{old}": f"{node.name}:output:{new}" for new, old in enumerate(kept)}
        body.redirect({**moved, **{f"{node.name}:output:{old}": inputs[old] for old in gone}})
        _keep_inputs(node, kept)
        _keep_items(node.attr["T"].list.type, known)
        _keep_items(node.attr["output_shapes"].list.shape, known)
        node.attr.pop("_num_original_outputs", None)

    def _handed_on(self, name: str) -> set[int]:
        """Returns the numbers of the arguments that a loop's body returns as they came."""
        definition = type(self._originals[name])()
        definition.CopyFrom(self._originals[name])
        body = FunctionBody(definition)
        drop_identities(body, waiting=True)
        pairs = zip(definition.signature.input_arg, definition.signature.output_arg, strict=True)
        return {position for position, (argument, result) in enumerate(pairs)
                if definition.ret[result.name] == argument.name}

    def _keep(self, name: str) -> None:
        """Takes over a function that nothing was pushed into, and what it calls."""
        if name in self.functions or name not in self._originals:
            return
        self.functions[name] = definition = self._originals[name]
        body = FunctionBody(definition)
        drop_annotations(body)
        body.write_back()
        for called in function_calls(definition.node_def):
            self._keep(called.name)


def drop_identities(body: FunctionBody, waiting: bool = False) -> None:
    """Makes readers of an Identity or IdentityN read its input.

    Args:
        body: Is changed in place.
        waiting: Whether also where it waits for other nodes.
    """
    sources = {f"{node.name}:output:{number}": reference for node in body.nodes.values()
               if node.op in ("Identity", "IdentityN") and (waiting or len(_data(node)) == len(node.input))
               for number, reference in enumerate(_data(node))}
    for reference, source in sources.items():
        while source in sources:
            source = sources[source]
        sources[reference] = source
    body.redirect(sources)


def _drop_reads(body: FunctionBody) -> None:
    """Makes readers of a variable that became a weight read the weight; nothing waits for the reading any more."""
    reads = {node.name: node.input[0] for node in body.nodes.values()
             if node.op == "ReadVariableOp" and body.weight(node.input[0])}
    body.redirect({f"{name}:value:0": weight for name, weight in reads.items()})
    for node in body.nodes.values():
        kept = [reference for reference in node.input if not (reference.startswith("^") and reference[1:] in reads)]
        if len(kept) < len(node.input):
            del node.input[:]
            node.input.extend(kept)
    for output, name in list(body.definition.control_ret.items()):
        if name in reads:
            del body.definition.control_ret[output]
            body.definition.signature.control_output.remove(output)
    for name in reads:
        del body.nodes[name]
    other = next((node for node in body.nodes.values() if node.op.startswith(("Resource", "Assign", "VariableShape"))
                  and body.weight(node.input[0])), None)
    if other is not None:
        raise UserError("a model that only reads its variables as a whole", f"the operation {other.op}",
                        "Use the model as it was exported.")


def drop_annotations(body: FunctionBody) -> None:
    """Removes what tracing noted about shapes, gradients and where a function came from; after rewriting it is not true."""
    for node in body.nodes.values():
        for key in ("_output_shapes", "_gradient_op_type", "_read_only_resource_inputs"):
            node.attr.pop(key, None)


def _drop_results(definition, drop: tuple[int, ...]) -> None:
    for position in reversed(drop):
        definition.ret.pop(definition.signature.output_arg[position].name)
        del definition.signature.output_arg[position]


def _drop_arguments(definition, known: dict[int, str]) -> dict:
    """Removes arguments of a function and returns them by number."""
    arguments = list(definition.signature.input_arg)
    kept = [position for position in range(len(arguments)) if position not in known]
    notes = {position: definition.arg_attr[position] for position in kept if position in definition.arg_attr}
    notes = {position: type(note).FromString(note.SerializeToString()) for position, note in notes.items()}
    definition.arg_attr.clear()
    for new, old in enumerate(kept):
        if old in notes:
            definition.arg_attr[new].CopyFrom(notes[old])
    definition.resource_arg_unique_id.clear()
    definition.attr.pop("_input_shapes", None)
    gone = {position: arguments[position] for position in known}
    gone = {position: type(argument).FromString(argument.SerializeToString()) for position, argument in gone.items()}
    for position in sorted(known, reverse=True):
        del definition.signature.input_arg[position]
    return gone


def _data(node) -> list[str]:
    return [reference for reference in node.input if not reference.startswith("^")]


def _keep_inputs(node, kept: list[int]) -> None:
    data, control = _data(node), [reference for reference in node.input if reference.startswith("^")]
    del node.input[:]
    node.input.extend([*(data[position] for position in kept), *control])


def _keep_items(items, gone) -> None:
    for position in sorted(gone, reverse=True):
        if position < len(items):
            del items[position]
