"""Folding of BatchNorm into Keras weights: where, where not, and that the numbers stay."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.models import build_model, create_model
from landmark_zoo.serving.fold_batch_norm import fold_batch_norm, folded_weights
from landmark_zoo.training.precision import precision

layers = tf.keras.layers
X = np.random.default_rng(1).normal(size=[2, 9, 8, 3]).astype(np.float32)


def shaken(model, seed=0):
    """Gives every BatchNorm statistics and factors of its own, so that folding it wrongly shows."""
    random = np.random.default_rng(seed)
    for layer in model.submodules:
        if isinstance(layer, layers.BatchNormalization):
            shapes = {variable.name.rpartition("/")[2]: variable.shape for variable in layer.weights}
            draw = {"gamma:0": (0.6, 1.2), "beta:0": (-0.3, 0.3), "moving_mean:0": (-0.2, 0.2),
                    "moving_variance:0": (0.8, 1.6)}
            layer.set_weights([random.uniform(*draw[name], shape) for name, shape in shapes.items()])
    return model


def batch_norms(model):
    return sum(isinstance(layer, layers.BatchNormalization) for layer in model.submodules)


def network(*stack, shape=(None, None, 3)):
    tensor = images = tf.keras.Input(shape)
    for layer in stack:
        tensor = layer(tensor)
    return shaken(tf.keras.Model(images, tensor))


def test_a_number_worked_out_by_hand():
    convolution, normalization = layers.Conv2D(1, 1), layers.BatchNormalization(epsilon=1.0)
    model = network(convolution, normalization, shape=(None, None, 1))
    convolution.set_weights([np.full([1, 1, 1, 1], 3.0), np.array([1.0])])
    normalization.set_weights([np.array([4.0]), np.array([5.0]), np.array([7.0]), np.array([3.0])])
    kernel, bias = folded_weights(convolution, normalization)
    assert (kernel.item(), bias.item()) == (6.0, -7.0)  # s = 4 / sqrt(3 + 1) = 2; 3 * 2; (1 - 7) * 2 + 5
    assert fold_batch_norm(model)(tf.fill([1, 1, 1, 1], 2.0)).numpy().item() == 5.0


@pytest.mark.parametrize(("stack", "left"), [
    (lambda: [layers.Conv2D(5, 3, use_bias=False)], 0),
    (lambda: [layers.Conv2D(5, 3, strides=2, padding="same", bias_initializer="random_normal")], 0),
    (lambda: [layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)], 0),
    (lambda: [layers.DepthwiseConv2D(3, bias_initializer="random_normal")], 0),
    (lambda: [layers.Dense(4)], 0),
    (lambda: [layers.Conv2D(5, 3, activation="relu")], 1),
    (lambda: [layers.Conv2D(5, 3), layers.ReLU()], 1),
    (list, 1)])
@pytest.mark.parametrize("options", [{"epsilon": 0.01}, {"scale": False}, {"center": False}])
def test_what_takes_the_normalization_in(stack, left, options):
    model = network(*stack(), layers.BatchNormalization(**options), layers.ReLU())
    folded = fold_batch_norm(model)
    assert (batch_norms(model), batch_norms(folded)) == (1, left)
    expected = model(X, training=False).numpy()
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(folded(X, training=False), expected, atol=1e-5)


def test_what_something_else_reads_is_left():
    images = tf.keras.Input([None, None, 3])
    before = layers.Conv2D(5, 3)(images)
    after = layers.BatchNormalization()(before)
    shared, normalization = layers.Conv2D(5, 3), layers.BatchNormalization()
    twice = [normalization(shared(images)), normalization(shared(images * 2.0))]
    for outputs in (after + before, {"after": after, "before": before}, twice):
        model = shaken(tf.keras.Model(images, outputs))
        folded = fold_batch_norm(model)
        assert batch_norms(folded) == 1
        tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), model(X), folded(X))


@pytest.mark.parametrize(("backbone", "options", "folded", "left"), [
    ("mobilenet", {"alpha": 0.25}, 27, 0),
    pytest.param("mobilenet", {"alpha": 0.25, "attention": "cbam", "placement": "stages"}, 27, 3, marks=pytest.mark.slow),
    pytest.param("mobilenetv2", {"alpha": 0.35, "attention": "se"}, 52, 0, marks=pytest.mark.slow),
    ("resnet18", {"alpha": 0.25, "attention": "se", "placement": "blocks"}, 20, 0),
    ("vgg16", {"attention": "eca", "placement": "stages"}, 0, 0),
    pytest.param("mobilenetv2", {"alpha": 0.35, "attention": "cbam", "placement": "blocks"}, 52, 10, marks=pytest.mark.slow),
    pytest.param("resnet50", {"attention": "aa", "placement": "convolutions"}, 40, 13, marks=pytest.mark.slow),
    pytest.param("resnet50", {"attention": "glam"}, 53, 0, marks=pytest.mark.slow),
    pytest.param("resnet101", {}, 104, 0, marks=pytest.mark.slow),
    pytest.param("efficientnetb0", {"attention": "se", "placement": "blocks"}, 49, 0, marks=pytest.mark.slow),
    pytest.param("efficientnetlite0", {"attention": "se", "placement": "blocks"}, 49, 0, marks=pytest.mark.slow)])
def test_every_backbone_keeps_its_embedding(backbone, options, folded, left):
    model = shaken(build_model(backbone, embedding_dim=16, **options))
    weights = model.get_weights()
    found = fold_batch_norm(model)
    assert (batch_norms(model), batch_norms(found)) == (folded + left, left)
    images = tf.random.stateless_uniform([1, 64, 64, 3], [0, 0], maxval=255.0)
    expected, outputs = model(images, training=False), found(images, training=False)
    assert outputs.keys() == expected.keys()
    assert np.linalg.norm(expected["embedding"]) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(outputs["embedding"], expected["embedding"], atol=1e-5)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["solar", "delg", "delf", "how", "abn"])
def test_networks_with_builders_of_their_own(name):
    model = shaken(create_model(f"mobilenet_{name}", alpha=0.25, **({"num_classes": 3} if name == "abn" else {})))
    found = fold_batch_norm(model)
    assert batch_norms(found) <= 4
    images = tf.random.stateless_uniform([1, 96, 64, 3], [0, 0], maxval=255.0)
    np.testing.assert_allclose(found(images)["embedding"], model(images)["embedding"], atol=1e-5)


def test_formats_stay():
    with precision("mixed_bfloat16"):
        model = network(layers.Conv2D(5, 3), layers.BatchNormalization(), layers.ReLU())
    folded = fold_batch_norm(model)
    assert [layer.compute_dtype for layer in folded.layers] == [layer.compute_dtype for layer in model.layers]
    assert folded(X).dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(folded(X), tf.float32), tf.cast(model(X), tf.float32), atol=0.05)
