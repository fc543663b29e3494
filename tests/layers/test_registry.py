"""What holds for every row of the tables of poolings and heads; layers by registered name, and files with former names."""

import functools
import inspect
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo import layers
from landmark_zoo.layers import CUSTOM_OBJECTS, L2Normalize, NeuralNearestNeighbors, SubCenterArcFace
from landmark_zoo.layers.heads.softmax import CosineHead, Head, Softmax
from landmark_zoo.layers.pooling.global_pooling import Pooling
from landmark_zoo.layers.registry import HEADS, POOLING
from landmark_zoo.losses.cross_entropy import softmax_cross_entropy
from tests.contracts.layer import check_half_precision_at_scale, layers_below


@pytest.fixture
def features():
    """A map of odd, unequal sides, non-negative as after a ReLU, with zeros in it."""
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


@pytest.mark.parametrize("name", POOLING)
def test_contract(check_layer, name, features, tmp_path):
    check_layer(POOLING[name], features, tmp_path)


@pytest.mark.parametrize("policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", POOLING)
def test_activations_up_to_a_hundred_in_half_precision(name, policy):
    check_half_precision_at_scale(POOLING[name], policy)


@pytest.mark.parametrize("name", POOLING)
def test_vector_of_any_map(name):
    layer = POOLING[name]()
    for height, width in ((7, 5), (4, 9), (1, 1), (1, 6), (2, 2)):
        vector = layer(np.ones((2, height, width, 32), np.float32))
        assert vector.shape.rank == 2
        assert np.isfinite(vector).all()


@pytest.mark.parametrize("name", POOLING)
def test_an_image_does_not_depend_on_its_batch(name, features):
    layer = POOLING[name]()
    np.testing.assert_allclose(layer(features)[:1], layer(features[:1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", POOLING)
def test_a_map_of_zeros_stays_finite(name):
    assert np.isfinite(POOLING[name]()(np.zeros((1, 7, 5, 32), np.float32))).all()


@pytest.mark.parametrize("name", POOLING)
def test_wrong_rank_is_refused(name):
    with pytest.raises(ValueError, match=r"expected \[batch, height, width, .*received shape \(2, 7, 5\)"):
        POOLING[name]()(np.ones((2, 7, 5), np.float32))


def test_every_pooling_has_a_row():
    rows = {row.func if isinstance(row, functools.partial) else row for row in POOLING.values()}
    own = {kind for kind in layers_below(Pooling) if kind.__module__.startswith("landmark_zoo.")}
    assert {kind for kind in own if not inspect.isabstract(kind)} == rows


EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
LABELS = np.array([0, 1, 2, 4])
NAMES = [name for name in HEADS if name != "sub_center_arcface"]  # the other spelling of a row
MARGINS = {"arcface", "cosface", "sub_centre_arcface"}


@pytest.mark.parametrize("name", NAMES)
def test_contract_of_heads(check_layer, name, tmp_path):
    check_layer(lambda **keras: HEADS[name](5, **keras), EMBEDDINGS, tmp_path)


@pytest.mark.parametrize("policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_large_embeddings_in_half_precision(name, policy):
    check_half_precision_at_scale(lambda **keras: HEADS[name](5, **keras), policy, 100 * EMBEDDINGS)


@pytest.mark.parametrize("name", NAMES)
def test_logits(name):
    head = HEADS[name](5)
    logits = head(EMBEDDINGS)
    assert logits.shape == (4, 5)
    assert np.isfinite(head.training_logits(logits, LABELS)).all()


@pytest.mark.parametrize("name", NAMES)
def test_logits_of_some_classes_are_those_columns_of_all(name):
    head = HEADS[name](5)
    classes = np.array([4, 0, 2])
    np.testing.assert_allclose(head(EMBEDDINGS, classes=classes), head(EMBEDDINGS).numpy()[:, classes], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_winning_row_is_that_of_the_largest_logit(name):
    head = HEADS[name](5)
    logits, rows = head(EMBEDDINGS).numpy(), head.winning_rows(EMBEDDINGS).numpy()
    kernel = head.kernel.numpy().reshape(-1, 5, 8)
    directions = kernel if isinstance(head, Softmax) else kernel / np.linalg.norm(kernel, axis=-1, keepdims=True)
    for embedding, winner, row in zip(EMBEDDINGS, logits.argmax(axis=1), rows, strict=True):
        np.testing.assert_array_equal(row, kernel[(directions[:, winner] @ embedding).argmax(), winner])


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_finite_where_the_embedding_lies_on_a_class_or_opposite(name):
    head = HEADS[name](4, dtype="float32")
    head.build([None, 8])
    head.kernel.assign(tf.tile(EMBEDDINGS, [head.kernel_rows // 4, 1]))
    for embeddings in (EMBEDDINGS, -EMBEDDINGS):
        x = tf.constant(embeddings)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = softmax_cross_entropy(np.arange(4), head.training_logits(head(x), np.arange(4)))
        for gradient in tape.gradient(loss, [x, head.kernel]):
            assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", NAMES)
def test_margin_only_while_training_and_only_on_the_label(name):
    head = HEADS[name](5)
    before = head(EMBEDDINGS).numpy()
    trained = head.training_logits(head(EMBEDDINGS), LABELS).numpy()
    rows = np.arange(4)
    if name in MARGINS:
        assert (trained[rows, LABELS] < before[rows, LABELS]).all()
        trained[rows, LABELS] = before[rows, LABELS]
    elif name == "adacos":
        trained *= before / trained
    np.testing.assert_allclose(trained, before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_that_learns_gets_a_finite_gradient_from_the_loss(name):
    head = HEADS[name](5)
    head(EMBEDDINGS)
    with tf.GradientTape() as tape:
        loss = softmax_cross_entropy(LABELS, head.training_logits(head(EMBEDDINGS), LABELS))
    for gradient in tape.gradient(loss, head.trainable_weights):
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_any_integer_type(name):
    head = HEADS[name](5)
    for kind in (tf.int32, tf.int64):
        assert head.training_logits(head(EMBEDDINGS), tf.cast(LABELS, kind)).shape == (4, 5)


@pytest.mark.parametrize("name", NAMES)
def test_one_class_is_refused(name):
    with pytest.raises(ValueError, match=r"expected num_classes >= [23].*received 1"):
        HEADS[name](1)


def test_every_head_has_a_row():
    rows = {row.func if isinstance(row, functools.partial) else row for row in HEADS.values()}
    own = {kind for kind in layers_below(Head) if kind.__module__.startswith("landmark_zoo.")}
    assert {kind for kind in own if not inspect.isabstract(kind)} - {CosineHead} == rows


FORMER = {"L2Normalise": L2Normalize, "NeuralNearestNeighbours": NeuralNearestNeighbors,
          "SubCentreArcFace": SubCenterArcFace}


def with_former_names(path, former):
    """Copies a `.keras` file with its configuration as an earlier version wrote it."""
    kind, copy = FORMER[former], path.with_name("former.keras")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name == "config.json":
                assert f'"landmark_zoo>{kind.__name__}"'.encode() in text
                text = text.replace(kind.__name__.encode(), former.encode())
            target.writestr(name, text)
    return copy


@pytest.mark.parametrize(("former", "layer", "shape"), [
    ("L2Normalise", L2Normalize(), [4]), ("SubCentreArcFace", SubCenterArcFace(3, sub_centres=2), [4]),
    ("NeuralNearestNeighbours", NeuralNearestNeighbors(k=2, reduction=2), [3, 2, 4])])
def test_files_with_former_names_load(former, layer, shape, tmp_path):
    inputs = tf.keras.Input(shape)
    model = tf.keras.Model(inputs, layer(inputs))
    values = np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32)
    model.save(tmp_path / "today.keras")
    path = with_former_names(tmp_path / "today.keras", former)
    for table in (None, CUSTOM_OBJECTS):
        loaded = tf.keras.models.load_model(path, custom_objects=table)
        assert type(loaded.layers[-1]) is FORMER[former]
        np.testing.assert_array_equal(loaded(values), model(values))


def test_every_exported_layer_is_in_the_table_by_its_registered_name():
    exported = [getattr(layers, name) for name in layers.__all__]
    kinds = {kind for kind in exported if isinstance(kind, type) and issubclass(kind, tf.keras.layers.Layer)}
    bases = {layers.Attention, layers.CosineHead, layers.Head, layers.Pooling, layers.VectorSum}
    assert kinds - bases == set(CUSTOM_OBJECTS.values())
    assert {name for name in CUSTOM_OBJECTS if name != tf.keras.utils.get_registered_name(CUSTOM_OBJECTS[name])} == {
        f"landmark_zoo>{former}" for former in FORMER}


def test_both_spellings_of_the_sub_center_head():
    assert HEADS["sub_centre_arcface"] is HEADS["sub_center_arcface"] is SubCenterArcFace
