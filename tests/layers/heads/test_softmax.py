import inspect

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.layers.heads.margin import ArcFace, CosFace
from landmark_zoo.layers.heads.softmax import CosineHead, CosineSoftmax, Softmax, sample_classes, sampled_training_logits
from landmark_zoo.layers.registry import HEADS
from landmark_zoo.losses.cross_entropy import softmax_cross_entropy

NAMES = [name for name in HEADS if name != "sub_center_arcface"]  # the other spelling of a row


def test_scaled_cosines():
    random = np.random.default_rng(0)
    embeddings = random.standard_normal((3, 4)).astype(np.float32)
    head = CosineHead(6, scale=10.0)
    logits = head(embeddings).numpy()
    for row, embedding in enumerate(embeddings):
        for column, weight in enumerate(head.kernel.numpy()):
            cosine = embedding @ weight / np.linalg.norm(embedding) / np.linalg.norm(weight)
            np.testing.assert_allclose(logits[row, column], 10 * cosine, rtol=1e-4)


def test_length_of_the_embedding_does_not_matter():
    embeddings = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    head = CosineHead(6)
    np.testing.assert_allclose(head(1000 * embeddings), head(embeddings), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"num_classes": 1}, "CosineHead: expected num_classes >= 2; received 1"),
    ({"num_classes": 5, "scale": 0}, "CosineHead: expected scale > 0; received 0")])
def test_impossible_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CosineHead(**arguments)


EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)


def test_equals_loops():
    head = Softmax(5)
    head.build(EMBEDDINGS.shape)
    random = np.random.default_rng(1)
    head.set_weights([random.standard_normal((5, 8)), random.standard_normal(5)])
    kernel, bias = head.get_weights()
    expected = [[sum(x[d] * kernel[n, d] for d in range(8)) + bias[n] for n in range(5)] for x in EMBEDDINGS]
    np.testing.assert_allclose(head(EMBEDDINGS), expected, rtol=1e-5, atol=1e-5)


def test_nothing_is_normalized():
    head = Softmax(5)
    np.testing.assert_allclose(head(10 * EMBEDDINGS), 10 * head(EMBEDDINGS), rtol=1e-5, atol=1e-5)


def test_has_neither_scale_nor_margin():
    assert not {"scale", "margin"} & set(inspect.signature(Softmax.__init__).parameters)
    assert not issubclass(Softmax, CosineHead)


def test_parameters():
    head = Softmax(27)
    head.build([None, 512])
    assert head.count_params() == 512 * 27 + 27


LABELS = [0, 4, 1, 1]


def test_trains_on_what_it_infers():
    head = CosineSoftmax(5)
    logits = head(EMBEDDINGS)
    assert head.training_logits(logits, LABELS) is logits


def test_is_every_margin_head_without_margin():
    head = CosineSoftmax(5, scale=12.0)
    logits = head(EMBEDDINGS)
    for other in (ArcFace(5, margin=0.0, scale=12.0), CosFace(5, margin=0.0, scale=12.0)):
        other.build(EMBEDDINGS.shape)
        other.set_weights(head.get_weights())
        np.testing.assert_allclose(other.training_logits(other(EMBEDDINGS), LABELS), logits, rtol=1e-5, atol=1e-5)


DRAWN = np.array([0, 6, 2, 6])


def built(name, **arguments):
    head = HEADS[name](9, **arguments)
    head.build([None, 8])
    return head


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), num_sampled=st.integers(4, 50),
       labels=st.lists(st.integers(0, 49), min_size=1, max_size=4))
def test_every_label_is_there_and_no_class_twice(seed, num_sampled, labels):
    classes, positions = sample_classes(np.array(labels), 50, num_sampled, [seed, 0])
    assert len(set(classes.numpy())) == num_sampled
    assert set(classes.numpy()) <= set(range(50))
    np.testing.assert_array_equal(classes.numpy()[positions], labels)


def test_same_seed_same_classes_on_every_replica_but_for_their_labels():
    first, again, other = (set(sample_classes(np.array(labels), 1000, 100, seed)[0].numpy())
                           for labels, seed in [([1, 2], [3, 7]), ([3, 4], [3, 7]), ([1, 2], [3, 8])])
    assert len(first & again) >= 96
    assert len(first & other) < 40


def test_others_are_drawn_evenly():
    drawn = np.zeros(20)
    for step in range(400):
        drawn[sample_classes(np.array([0]), 20, 6, [0, step])[0]] += 1
    assert drawn[0] == 400
    assert (np.abs(drawn[1:] - 400 * 5 / 19) < 45).all()


@pytest.mark.parametrize("name", NAMES)
def test_all_classes_give_the_loss_and_the_gradient_of_all_classes(name):
    head, twin = built(name), built(name)
    twin.set_weights(head.get_weights())
    x = tf.constant(EMBEDDINGS)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        full = softmax_cross_entropy(DRAWN, head.training_logits(head(x), DRAWN))
        logits, positions = sampled_training_logits(twin, x, DRAWN, 9, [1, 2])
        sampled = softmax_cross_entropy(positions, logits)
    np.testing.assert_allclose(sampled, full, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tape.gradient(sampled, x), tape.gradient(full, x), rtol=1e-3, atol=1e-5)
    for ours, whole in zip(twin.trainable_weights, head.trainable_weights, strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(tape.gradient(sampled, ours)), tape.gradient(full, whole), rtol=1e-3,
                                   atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "adacos"])
def test_fewer_classes_are_the_columns_of_all_with_the_margin_on_the_label(name):
    head = built(name)
    classes, positions = sample_classes(DRAWN, 9, 5, [1, 2])
    logits, at = sampled_training_logits(head, EMBEDDINGS, DRAWN, 5, [1, 2])
    np.testing.assert_array_equal(at, positions)
    full = head.training_logits(head(EMBEDDINGS), DRAWN).numpy()
    np.testing.assert_allclose(logits, full[:, classes.numpy()], rtol=1e-4, atol=1e-4)


def test_margins_of_classes_stay_with_their_class():
    head = ArcFace(9, margin=np.linspace(0.05, 0.5, 9))
    full = head.training_logits(head(EMBEDDINGS), DRAWN).numpy()
    logits, positions = sampled_training_logits(head, EMBEDDINGS, DRAWN, 5, [1, 2])
    np.testing.assert_allclose(logits.numpy()[range(4), positions], full[range(4), DRAWN], rtol=1e-4)


def test_only_sampled_classes_have_a_gradient():
    head = built("sub_centre_arcface")
    classes, _ = sample_classes(DRAWN, 9, 5, [1, 2])
    with tf.GradientTape() as tape:
        logits, positions = sampled_training_logits(head, EMBEDDINGS, DRAWN, 5, [1, 2])
        loss = softmax_cross_entropy(positions, logits)
    gradient = tape.gradient(loss, head.kernel)
    assert isinstance(gradient, tf.IndexedSlices)
    assert set(gradient.indices.numpy() % 9) == set(classes.numpy())


def test_in_a_graph_each_step_draws_anew():
    head = CosineSoftmax(100)
    head.build([None, 8])
    signature = [tf.TensorSpec([None, 8]), tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.int32)]
    run = tf.function(lambda x, y, step: sampled_training_logits(head, x, y, 10, tf.stack([0, step])), signature)
    first, _ = run(EMBEDDINGS, DRAWN, 0)
    second, positions = run(EMBEDDINGS, DRAWN, 1)
    assert first.shape == (4, 10)
    assert not np.allclose(np.sort(first), np.sort(second))
    np.testing.assert_allclose(second.numpy()[range(4), positions], head(EMBEDDINGS).numpy()[range(4), DRAWN], rtol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected batch size <= num_sampled"):
        run(np.tile(EMBEDDINGS, [3, 1]), np.tile(DRAWN, 3), 0)


@pytest.mark.parametrize("num_sampled", [3, 10, 0])
def test_impossible_numbers(num_sampled):
    with pytest.raises(ValueError, match=rf"expected batch size <= .* <= num_classes; received 4, {num_sampled} and 9"):
        sampled_training_logits(built("arcface"), EMBEDDINGS, DRAWN, num_sampled, [0, 0])
