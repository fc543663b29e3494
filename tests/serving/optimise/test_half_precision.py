"""Which operations go to 16 bits."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.serving.optimise.freeze import freeze
from landmark_zoo.serving.optimise.half_precision import half_precision

X = np.random.default_rng(1).normal(size=[2, 12, 12, 3]).astype(np.float32)


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_convolutions_and_what_follows_them(save, outputs, dtype):
    first, second = (tf.keras.layers.Conv2D(3, 3, padding="same", activation="relu") for _ in range(2))

    def function(x):
        y = first(x)
        y = second(tf.nn.max_pool2d(y, 2, 2, "SAME")) + tf.nn.max_pool2d(y, 2, 2, "SAME")
        return tf.reduce_mean(tf.maximum(y, 1e-6) ** 3.0, [1, 2]) ** (1 / 3)

    function(X)
    saved = save(function, [None, None, None, 3], [*first.variables, *second.variables])
    frozen = freeze(saved)
    assert half_precision(frozen, dtype) == 2
    types = {node.op: node.attr["T"].type for function in frozen.functions.values() for node in function.node_def
             if "T" in node.attr and node.attr["T"].WhichOneof("value") == "type"}
    half = dtype.as_datatype_enum
    assert {types[name] for name in ("Conv2D", "BiasAdd", "Relu", "AddV2", "MaxPool")} == {half}
    assert {types[name] for name in ("Pow", "Mean", "Maximum")} == {tf.float32.as_datatype_enum}
    expected, found = outputs(frozen, saved, X)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0.03)
    assert np.abs(found - expected).max() > 0


def test_nothing_without_convolutions(save, outputs):
    saved = save(lambda x: tf.nn.relu(x) + 1.0, [None, 2])
    frozen = freeze(saved)
    assert half_precision(frozen, tf.bfloat16) == 0
    expected, found = outputs(frozen, saved, X[0, 0, :, :2])
    np.testing.assert_array_equal(found, expected)
