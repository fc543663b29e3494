"""Freezing: same signatures and embeddings without variables; what is refused."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.freeze import freeze

X = np.array([[1.0, 2.0], [-3.0, 4.0]], np.float32)


@pytest.fixture(scope="module")
def frozen_path(exported, tmp_path_factory):
    path = tmp_path_factory.mktemp("frozen") / "1"
    freeze(exported, path)
    return path


@pytest.fixture(scope="module")
def models(exported, frozen_path):
    """The original and the frozen one."""
    return [tf.saved_model.load(str(path)) for path in (exported, frozen_path)]


@pytest.fixture
def save(tmp_path):
    """A function that saves a function of `x` as the signature `serving_default`, and returns the folder."""
    def write(function, shape, variables=()):
        module = tf.Module()
        module.held = list(variables)
        signature = tf.function(lambda x: {"y": function(x)}, [tf.TensorSpec(shape, tf.float32, name="x")])
        tf.saved_model.save(module, str(tmp_path / "saved"), signatures=signature)
        return tmp_path / "saved"
    return write


def results(*paths, x=X):
    models = [tf.saved_model.load(str(path)) for path in paths]
    return [model.signatures["serving_default"](x=x)["y"].numpy() for model in models]


def operations(model, name):
    graph = model.signatures[name].graph.as_graph_def()
    return {node.op for nodes in (graph.node, *(function.node_def for function in graph.library.function)) for node in nodes}


def test_signatures_and_facts_stay(models):
    original, frozen = models
    assert set(frozen.signatures) == {"serving_default", "images", "crop", "info", "local", "attention"}
    for name, signature in original.signatures.items():
        assert frozen.signatures[name].structured_input_signature == signature.structured_input_signature
        assert frozen.signatures[name].structured_outputs == signature.structured_outputs
    expected, found = original.signatures["info"](), frozen.signatures["info"]()
    assert expected.keys() == found.keys()
    for key in expected:
        np.testing.assert_array_equal(found[key], expected[key])


def test_embeddings_stay(models, encoded_images, expected):
    found = models[1].signatures["serving_default"](image_bytes=tf.constant(encoded_images))["embedding"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    box = tf.constant([[0, 0, 40.0, 40]])
    crops = [model.signatures["crop"](image_bytes=tf.constant(encoded_images[:1]), box=box)["embedding"] for model in models]
    np.testing.assert_allclose(crops[1], crops[0], atol=1e-5)
    images = tf.random.stateless_uniform([2, 40, 64, 3], [1, 2], maxval=255.0)
    for name, key in (("images", "embedding"), ("local", "features"), ("local", "scores")):
        outputs = [model.signatures[name](images=images)[key] for model in models]
        np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-4, rtol=1e-4)
    maps = [model.signatures["attention"](images=images) for model in models]
    assert set(maps[0]) == set(maps[1]) == {"attention/se", "class_activation", "feature_norm"}
    for name in maps[0]:
        np.testing.assert_allclose(maps[1][name], maps[0][name], atol=1e-5)


def test_bad_bytes_are_still_named_by_position(models, encoded_images):
    with pytest.raises(tf.errors.InvalidArgumentError, match="at position 1"):
        models[1].signatures["serving_default"](image_bytes=tf.constant([encoded_images[0], b"no picture"]))


def test_no_variables_are_left_and_a_weight_is_written_once(models, exported, frozen_path):
    assert not {"ReadVariableOp", "VarHandleOp"} & operations(models[1], "serving_default")
    variables = sum(file.stat().st_size for file in (exported / "variables").iterdir())
    saved = saved_model_pb2.SavedModel.FromString((frozen_path / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    constants = sum(len(node.attr["value"].tensor.tensor_content) for node in nodes if node.op == "Const")
    assert 0.8 * variables < constants < 1.1 * variables
    assert sum(file.stat().st_size for file in (frozen_path / "variables").iterdir()) < 0.1 * variables


def test_too_many_weights_for_a_graph(exported, tmp_path):
    with pytest.raises(UserError, match=r"weights of at most 0\.0001 GB .* received 0\.00 GB"):
        freeze(exported, tmp_path / "out", limit=100_000)
    assert not (tmp_path / "out").exists()


def test_no_saved_model(tmp_path):
    with pytest.raises(UserError, match="a readable SavedModel at"):
        freeze(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_models_from_one_process_and_a_folder_that_exists(save, tmp_path):
    weight = tf.Variable([1.0, 2.0])
    for name in ("first", "second"):
        freeze(save(lambda x: x * weight, [None, 2], [weight]), tmp_path / name)
        weight.assign(weight * 10)
    assert [found.tolist() for found in results(tmp_path / "first", tmp_path / "second", x=tf.ones([1, 2]))] == [
        [[1.0, 2.0]], [[10.0, 20.0]]]
    with pytest.raises(UserError, match="no folder at"):
        freeze(tmp_path / "saved", tmp_path / "first")


def test_a_loop_gets_its_weights_as_constants_and_keeps_what_it_changes(save, tmp_path):
    weight, start = tf.Variable([[1.0, 0.5], [0.25, 1.0]]), tf.Variable([10.0, 20.0])

    def function(x):
        def once(count, value, unchanged):
            return count + 1, tf.matmul(value, weight) + unchanged, unchanged
        _, value, unchanged = tf.while_loop(lambda count, *_: count < 3, once, (0, x, start))
        return value + unchanged + tf.while_loop(lambda count, _: count < 3, lambda count, value: (count + 1, value * 2.0),
                                                 (0, start))[1]

    saved = save(function, [None, 2], [weight, start])
    freeze(saved, tmp_path / "frozen")
    expected, found = results(saved, tmp_path / "frozen")
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    graph = tf.saved_model.load(str(tmp_path / "frozen")).signatures["serving_default"].graph.as_graph_def()
    product, = [node for function in graph.library.function for node in function.node_def if node.op == "MatMul"]
    body, = [function for function in graph.library.function if product in function.node_def]
    producers = {node.name: node for node in body.node_def}
    read = producers[product.input[1].partition(":")[0]]
    while read.op == "Identity":
        read = producers[read.input[0].partition(":")[0]]
    assert read.op == "PartitionedCall"
    assert not read.input


def test_branches_and_calls(save, tmp_path):
    weight = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    inner = tf.function(lambda x: tf.matmul(x, weight))

    def function(x):
        return tf.cond(tf.reduce_sum(x) > 0, lambda: inner(x), lambda: inner(x) * 2.0)

    saved = save(function, [None, 2], [weight])
    freeze(saved, tmp_path / "frozen")
    expected, found = results(saved, tmp_path / "frozen")
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(expected, X @ weight.numpy())


def test_one_function_called_with_two_weights(save, tmp_path):
    weights = tf.Variable([1.0, 2.0]), tf.Variable([10.0, 20.0])
    scaled = tf.function(lambda x, weight: x * weight, reduce_retracing=True)
    saved = save(lambda x: scaled(x, weights[0].read_value()) + scaled(x, weights[1].read_value()), [None, 2], weights)
    freeze(saved, tmp_path / "frozen")
    expected, found = results(saved, tmp_path / "frozen")
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("use", [lambda x, table: x + table.assign_add([1.0, 1.0]),
                                 lambda x, table: x + tf.gather(table, tf.cast(x, tf.int32))])
def test_a_variable_that_is_changed_or_looked_up(save, tmp_path, use):
    table = tf.Variable([1.0, 2.0])
    with pytest.raises(UserError, match="that only reads its variables as a whole"):
        freeze(save(lambda x: use(x, table), [None, 2], [table]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
