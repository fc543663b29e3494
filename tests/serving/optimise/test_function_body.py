"""Rewriting a function."""

import tensorflow as tf

from landmark_zoo.serving.optimise.freeze import freeze
from landmark_zoo.serving.optimise.function_body import FunctionBody, function_calls, type_attribute, types


def body_of(save, function):
    frozen = freeze(save(function, [None, 2], []))
    inner = next(function for function in frozen.functions.values()
                 if any(node.op == "Relu" for node in function.node_def))
    return FunctionBody(inner)


def test_readers_producers_and_redirecting(save):
    body = body_of(save, lambda x: tf.nn.relu(x, name="first") + tf.nn.relu(-x, name="second"))
    assert body.readers()["first"] == 1
    assert body.producer("first:activations:0").op == "Relu"
    assert body.producer("x") is None
    body.redirect({"first:activations:0": "second:activations:0"})
    assert (body.readers()["first"], body.readers()["second"]) == (0, 2)
    body.write_back()
    assert "first" not in [node.name for node in body.definition.node_def]


def test_names_that_are_taken_get_a_number(save):
    body = body_of(save, lambda x: tf.nn.relu(x, name="first"))
    assert body.add("first", "Neg", ["x"], T=type_attribute(tf.float32)) == "first_1"
    assert body.add("x", "Neg", ["x"], T=type_attribute(tf.float32)) == "x_1"
    weight = body.add_weight("w", "constant/w", tf.float32.as_datatype_enum)
    assert (weight, body.weight(weight), body.weight("first:activations:0")) == ("w:output:0", "constant/w", None)
    assert [call.name for call in function_calls([body.nodes["w"]])] == ["constant/w"]


def test_an_empty_list_is_a_list():
    assert types([]).WhichOneof("value") == "list"
