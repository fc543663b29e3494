"""What holds for every row of the head table."""

import functools
import inspect

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.heads.registry import HEADS
from landmark_zoo.layers.heads.softmax import CosineHead, Head, Softmax
from landmark_zoo.losses.cross_entropy import softmax_cross_entropy
from tests.contracts.layer import check_half_precision_at_scale, layers_below

EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
LABELS = np.array([0, 1, 2, 4])
NAMES = [name for name in HEADS if name != "sub_center_arcface"]  # the other spelling of a row
MARGINS = {"arcface", "cosface", "sub_centre_arcface"}


@pytest.mark.parametrize("name", NAMES)
def test_contract(check_layer, name, tmp_path):
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


def test_every_layer_has_a_row():
    rows = {row.func if isinstance(row, functools.partial) else row for row in HEADS.values()}
    own = {kind for kind in layers_below(Head) if kind.__module__.startswith("landmark_zoo.")}
    assert {kind for kind in own if not inspect.isabstract(kind)} - {CosineHead} == rows
