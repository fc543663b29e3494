import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.ema import ExponentialMovingAverage
from landmark_zoo.training.optimizer import GroupedOptimizer
from landmark_zoo.training.precision import LossScale
from landmark_zoo.training.train_step import TrainStep, accumulate_gradients

pytestmark = pytest.mark.usefixtures("eagerly")
SETTINGS = {"epochs": 1, "batch_size": 8, "learning_rate": 0.1, "optimizer": "sgd", "warmup_fraction": 0.0,
            "schedule": "constant"}


@pytest.fixture
def stepping(toy):
    def make(toy=None, objective=None, loss_scale=None, ema=None, **settings):
        config = TrainingConfig(**{**SETTINGS, **settings})
        run_step = tf.Variable(0, dtype=tf.int64)
        optimizer = GroupedOptimizer(toy.groups(), config, 10, run_step)
        return TrainStep(objective or toy.objective, optimizer, run_step, config, loss_scale, ema)
    return make


@tf.custom_gradient
def exploding(x, explodes):
    return tf.identity(x), lambda gradient: (gradient * tf.where(explodes, float("inf"), 1.0), None)


def weights_after(toy, step, steps=3):
    values = [step(toy.images, toy.labels) for _ in range(steps)]
    return [np.array(values), *toy.model.get_weights()]


@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_in_parts_is_the_batch(toy, stepping, parts):
    whole, in_parts = toy(), toy()
    expected = weights_after(whole, stepping(whole))
    for left, right in zip(expected, weights_after(in_parts, stepping(in_parts, accumulate=parts)), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)
    assert expected[0][0, 0] > expected[0][-1, 0]


def test_a_third_part_of_the_batch_goes_to_the_objective(toy, stepping):
    """In micro-batches too, each with its own rows."""
    random = np.random.default_rng(5)
    targets = random.normal(size=(8, 4)).astype(np.float32)

    def after(parts, targets):
        network = toy()

        def objective(images, labels, training, targets):
            logits = network.model(images, training=training)
            return tf.reduce_sum((logits - targets) ** 2, axis=1), tf.zeros(tf.shape(labels))
        step = stepping(network, objective, accumulate=parts, learning_rate=0.01)
        values = [step(network.images, network.labels, targets) for _ in range(3)]
        return [np.array(values), *network.model.get_weights()]
    expected = after(1, targets)
    assert expected[0][0, 0] > expected[0][-1, 0]
    for left, right in zip(expected, after(4, targets), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)
    assert not np.allclose(expected[1], after(1, targets[::-1].copy())[1])


def test_parts_that_do_not_divide_the_batch(toy, stepping):
    with pytest.raises(UserError, match="a --batch_size that --accumulate divides; received 8 and 3"):
        stepping(toy(), accumulate=3)


def test_a_loss_scale_changes_nothing_in_float32(toy, stepping):
    plain, scaled = toy(), toy()
    expected = weights_after(plain, stepping(plain))
    got = weights_after(scaled, stepping(scaled, loss_scale=LossScale(), precision="mixed_float16"))
    for left, right in zip(expected, got, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)


def test_a_step_whose_gradients_overflow_is_left_out(toy, stepping):
    network, scale = toy(), LossScale()
    ema = ExponentialMovingAverage(network.model, 0.9)
    overflow = tf.Variable(True)

    def objective(images, labels, training):
        losses, correct = network.objective(images, labels, training)
        return exploding(losses, tf.convert_to_tensor(overflow)), correct

    step = stepping(network, objective, scale, ema, precision="mixed_float16", optimizer="adam", accumulate=2)
    before = network.model.get_weights()
    loss, _ = step(network.images, network.labels)
    assert np.isfinite(loss)
    for left, right in zip(before, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(ema.values[0], before[0])
    assert float(scale.value) == 2.0**14
    assert [int(optimizer.iterations) for optimizer in step.optimizer.optimizers] == [0, 0]
    overflow.assign(False)
    step(network.images, network.labels)
    assert not np.array_equal(before[0], network.model.get_weights()[0])
    assert [int(optimizer.iterations) for optimizer in step.optimizer.optimizers] == [1, 1]
    assert int(step.run_step) == 2


@pytest.mark.parametrize(("what", "scaled"), [("loss", False), ("loss", True), ("gradient", False)])
def test_not_finite(toy, stepping, what, scaled):
    network = toy()

    def objective(images, labels, training):
        losses, correct = network.objective(images, labels, training)
        return (losses * float("nan") if what == "loss" else exploding(losses, tf.constant(True))), correct

    step = stepping(network, objective, LossScale() if scaled else None)
    before = network.model.get_weights()
    with pytest.raises(UserError, match=f"a finite {what}; received NaN or infinity at step 1"):
        step(network.images, network.labels)
    for left, right in zip(before, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_float16_for_real(toy, stepping):
    """A convolution in float16 learns what it learns in float32, up to its precision."""
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        short = toy()
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    long = toy()
    assert short.model.get_layer("conv").compute_dtype == "float16"
    expected = weights_after(long, stepping(long), steps=5)
    got = weights_after(short, stepping(short, loss_scale=LossScale(), precision="mixed_float16"), steps=5)
    for left, right in zip(expected, got, strict=True):
        np.testing.assert_allclose(left, right, atol=5e-3)
    assert expected[0][0, 0] - expected[0][-1, 0] > 0.01


def test_sparse_gradients_move_what_dense_ones_do(toy, stepping):
    """Heads with sampled classes have gradients for some of their rows only."""
    def objective_of(network):
        def objective(images, labels, training):
            rows = tf.gather(network.model.get_layer("dense").kernel, labels)
            losses, correct = network.objective(images, labels, training)
            return losses + tf.reduce_sum(rows**2, axis=1), correct
        return objective

    whole, parts = toy(), toy()
    expected = weights_after(whole, stepping(whole, objective_of(whole), clip_norm=0.5, weight_decay=0.1))
    got = weights_after(parts, stepping(parts, objective_of(parts), clip_norm=0.5, weight_decay=0.1, accumulate=2))
    for left, right in zip(expected, got, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)


@pytest.mark.parametrize("parts", [1, 2])
def test_penalties_of_layers_are_added_once(toy, stepping, parts):
    """Weight decay as the layer itself asks for it moves a kernel by `learning rate * 2 * strength * kernel` more."""
    network, strength = toy(), 0.5
    kernel = network.model.get_layer("dense").kernel
    before = kernel.numpy()
    stepping(network, accumulate=parts)(network.images, network.labels)
    without, strong = kernel.numpy(), toy()
    layer = strong.model.get_layer("dense")
    layer.add_loss(lambda: strength * tf.reduce_sum(layer.kernel**2))
    step = stepping(strong, accumulate=parts)
    step.model = strong.model
    step(strong.images, strong.labels)
    np.testing.assert_allclose(layer.kernel.numpy() - without, -0.1 * 2 * strength * before, atol=1e-6)


@pytest.mark.parametrize("parts", [1, 2, 3, 6])
def test_the_mean_of_the_parts_is_that_of_the_batch(parts):
    images = tf.random.stateless_normal([6, 2, 2, 3], [0, 1])
    labels = tf.range(6)

    def compute(images, labels):
        return tf.reduce_mean(images**2, axis=0), tf.reduce_mean(tf.cast(labels, tf.float32))

    zeros = [tf.zeros([2, 2, 3]), tf.zeros([])]
    call = tf.function(lambda images, labels: accumulate_gradients(compute, (images, labels), parts, zeros))
    for got, expected in zip(call(images, labels), compute(images, labels), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_each_image_once_and_in_order():
    seen = []

    def compute(images, labels):
        tf.py_function(lambda labels: seen.append(labels.numpy().tolist()), [labels], [])
        return (tf.zeros([]),)

    tf.function(lambda: accumulate_gradients(compute, (tf.zeros([6, 1]), tf.range(6)), 3, [tf.zeros([])]))()
    assert seen == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("parts", [1, 2])
def test_nothing_goes_back_through_what_does_not_learn_yet(toy, parts):
    """In `head_epochs` neither the step nor the body of its loop has an operation that gives a gradient of a convolution."""
    tf.config.run_functions_eagerly(False)
    network, run_step = toy(), tf.Variable(0, dtype=tf.int64)
    config = TrainingConfig(**{**SETTINGS, "epochs": 2, "head_epochs": 1, "accumulate": parts})
    optimizer = GroupedOptimizer(network.groups(1), config, 1, run_step)
    step, counts = TrainStep(network.objective, optimizer, run_step, config), []
    for _ in range(2):
        before = network.model.get_layer("conv").kernel.numpy()
        active = optimizer.active(len(counts))
        step(network.images, network.labels)
        graph = step._compiled_steps[active].get_concrete_function(network.images, network.labels).graph.as_graph_def()
        nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
        counts.append((any("Conv2DBackprop" in node.op for node in nodes),
                       np.abs(network.model.get_layer("conv").kernel.numpy() - before).max() > 0))
    assert counts == [(False, False), (True, True)]
