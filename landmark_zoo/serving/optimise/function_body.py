"""Reading and rewriting one function of a graph."""

from collections import Counter
from collections.abc import Iterator, Mapping

import tensorflow as tf

CONSTANT = "constant/"


class FunctionBody:
    """The nodes of a FunctionDef by name, with the few edits that rewriting a graph takes.

    A *reference* is how a node names its input: "argument", or "node:output:0". A weight is a call of a function without
    arguments whose name begins with "constant/": several functions can share it, and TensorFlow puts the constant in its
    place before anything runs.

    Args:
        definition: Is edited in place; `write_back` puts the nodes into it.
    """

    def __init__(self, definition: "tf.compat.v1.GraphDef"):
        self.definition = definition
        self.nodes = {node.name: node for node in definition.node_def}

    def producer(self, reference: str):
        """Returns the node behind a reference; None where it is an argument."""
        return self.nodes.get(reference.partition(":")[0])

    def weight(self, reference: str) -> str | None:
        """Returns the name of the weight behind a reference; None where it is something else."""
        node = self.producer(reference)
        if node is None or node.op != "PartitionedCall":
            return None
        name = node.attr["f"].func.name
        return name if name.startswith(CONSTANT) else None

    def readers(self) -> Counter:
        """Returns how many inputs and results refer to each node."""
        references = [reference for node in self.nodes.values() for reference in node.input]
        references += [*self.definition.ret.values(), *self.definition.control_ret.values()]
        return Counter(reference.lstrip("^").partition(":")[0] for reference in references)

    def add(self, name: str, operation: str, inputs: list[str], **attributes: "tf.compat.v1.AttrValue") -> str:
        """Adds a node and returns its name, which has a number behind it where it was taken."""
        number, free = 1, name
        while free in self.nodes or any(free == argument.name for argument in self.definition.signature.input_arg):
            number, free = number + 1, f"{name}_{number}"
        node = tf.compat.v1.NodeDef(name=free, op=operation, input=inputs)
        for key, value in attributes.items():
            node.attr[key].CopyFrom(value)
        self.nodes[free] = node
        return free

    def add_weight(self, name: str, weight: str, dtype: int) -> str:
        """Adds a weight and returns the reference to it."""
        function = tf.compat.v1.AttrValue()
        function.func.name = weight
        return self.add(name, "PartitionedCall", [], f=function, Tin=types([]), Tout=types([dtype])) + ":output:0"

    def redirect(self, references: Mapping[str, str]) -> None:
        """Makes everything that reads a key of `references` read its value."""
        for node in self.nodes.values():
            for position, reference in enumerate(node.input):
                if reference in references:
                    node.input[position] = references[reference]
        for output, reference in self.definition.ret.items():
            if reference in references:
                self.definition.ret[output] = references[reference]

    def write_back(self) -> None:
        """Puts the nodes that a result depends on into the definition."""
        needed: dict[str, None] = {}
        waiting = [*self.definition.ret.values(), *self.definition.control_ret.values()]
        while waiting:
            name = waiting.pop().lstrip("^").partition(":")[0]
            if name in self.nodes and name not in needed:
                needed[name] = None
                waiting.extend(self.nodes[name].input)
        kept = [node for name, node in self.nodes.items() if name in needed]
        self.nodes = {node.name: node for node in kept}
        copies = [tf.compat.v1.NodeDef.FromString(node.SerializeToString()) for node in kept]
        del self.definition.node_def[:]
        self.definition.node_def.extend(copies)


def type_attribute(dtype: tf.DType) -> "tf.compat.v1.AttrValue":
    """Returns an attribute that is a type."""
    return tf.compat.v1.AttrValue(type=dtype.as_datatype_enum)


def types(dtypes: list[int]) -> "tf.compat.v1.AttrValue":
    """Returns an attribute that is a list of types."""
    value = tf.compat.v1.AttrValue()
    value.list.SetInParent()
    value.list.type.extend(dtypes)
    return value


def function_calls(nodes) -> Iterator:
    """Yields every function that the attributes of nodes name: objects whose `name` can be read and set."""
    for node in nodes:
        for attribute in node.attr.values():
            kind = attribute.WhichOneof("value")
            yield from [attribute.func] if kind == "func" else attribute.list.func if kind == "list" else ()
