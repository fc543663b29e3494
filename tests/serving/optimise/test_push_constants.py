"""Constants reach the functions that use them."""

import numpy as np
import tensorflow as tf

from landmark_zoo.serving.optimise.freeze import freeze

X = np.array([[1.0, 2.0], [-3.0, 4.0]], np.float32)


def arguments(model, name):
    """Numbers of arguments of the functions whose name contains `name`."""
    return [len(function.signature.input_arg) for key, function in model.functions.items() if name in key]


def test_a_loop_keeps_what_it_changes_and_drops_what_it_hands_on(save, outputs):
    weight, start = tf.Variable([[1.0, 0.5], [0.25, 1.0]]), tf.Variable([10.0, 20.0])

    def function(x):
        def once(count, value, unchanged):
            return count + 1, tf.matmul(value, weight) + unchanged, unchanged
        _, value, unchanged = tf.while_loop(lambda count, *_: count < 3, once, (0, x, start))
        return value + unchanged

    saved = save(function, [None, 2], [weight, start])
    frozen = freeze(saved)
    expected, found = outputs(frozen, saved, X)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert not any(node.op in ("ReadVariableOp", "VarHandleOp")
                   for function in frozen.functions.values() for node in function.node_def)
    bodies = [node for function in frozen.functions.values() for node in function.node_def if node.op.endswith("While")]
    assert [len(node.input) for node in bodies] == [len(frozen.functions[node.attr["body"].func.name].signature.input_arg)
                                                    for node in bodies]
    assert len(bodies[0].input) <= 4  # two counters, the limit or not, and the value


def test_branches_and_calls(save, outputs):
    weight = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    inner = tf.function(lambda x: tf.matmul(x, weight))

    def function(x):
        return tf.cond(tf.reduce_sum(x) > 0, lambda: inner(x), lambda: inner(x) * 2.0)

    saved = save(function, [None, 2], [weight])
    frozen = freeze(saved)
    expected, found = outputs(frozen, saved, X)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(expected, X @ weight.numpy())


def test_a_loop_that_changes_a_weight_is_left(save, outputs):
    weight = tf.Variable([1.0, 1.0])

    def function(x):
        return tf.while_loop(lambda count, *_: count < 3, lambda count, value: (count + 1, value * 2.0), (0, weight))[1] + x

    saved = save(function, [None, 2], [weight])
    expected, found = outputs(freeze(saved), saved, X)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(expected, X + 8)
