"""The attention branch against loops, its two mechanisms, its cost, and trunks from outside."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.attention_branch import AttentionBranch, branch_parameters
from landmark_zoo.models.inspection import multiply_accumulates


@tf.keras.utils.register_keras_serializable("landmark_zoo")
class WholeBranch(AttentionBranch):
    """All that a branch returns in one tensor, as the contract wants it."""

    def call(self, inputs, training=None):
        attended, logits, _ = super().call(inputs, training=training)
        weights = tf.range(1, self.num_classes + 1, dtype=tf.float32)
        return attended + tf.cast(tf.reduce_mean(weights * logits, axis=1), attended.dtype)[:, None, None, None]

    def compute_output_shape(self, input_shape):
        return tf.TensorShape(input_shape)


@pytest.fixture
def features():
    return np.maximum(np.random.default_rng(0).standard_normal((2, 7, 5, 8)), 0).astype(np.float32)


def two_convolutions(channels=8):
    """The trunk of the VGG-16 network with 27 classes."""
    return tf.keras.Sequential([tf.keras.layers.Conv2D(channels, 3, padding="same", name=f"conv{n}") for n in (1, 2)],
                               name="trunk")


def convolved_by_loops(image, kernel):
    size = kernel.shape[0]
    padded = np.pad(image, [[size // 2] * 2, [size // 2] * 2, [0, 0]])
    return np.array([[np.einsum("ijc,ijcf->f", padded[i:i + size, j:j + size], kernel)
                      for j in range(image.shape[1])] for i in range(image.shape[0])])


def normalized_by_loops(image, norm):
    gamma, beta, mean, variance = norm.get_weights()
    return (image - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def by_loops(layer, features):
    """Attended map, logits and map, with the K -> K convolution before the mean as in the paper."""
    results = []
    for image in features:
        x = convolved_by_loops(normalized_by_loops(image, layer.trunk_norm), layer.respond.kernel.numpy())
        responses = np.maximum(normalized_by_loops(x, layer.respond_norm), 0)
        logits = convolved_by_loops(responses, layer.classify.kernel.numpy()[None, None]).mean(axis=(0, 1))
        value = normalized_by_loops(convolved_by_loops(responses, layer.to_map.kernel.numpy()), layer.map_norm)
        attention = 1 / (1 + np.exp(-value))
        results.append((image * (attention + (layer.mechanism == "residual")), logits, attention))
    return [np.stack(column) for column in zip(*results, strict=True)]


def with_random_weights(layer, shape):
    layer.build(shape)
    random = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(random.uniform(0.5, 1.5, weight.shape) if "variance" in weight.name
                      else 0.5 * random.standard_normal(weight.shape))
    return layer


@pytest.mark.parametrize("arguments", [
    {}, {"mechanism": "product"}, {"map_size": 1}, {"bottleneck": 3}, {"mechanism": "product", "map_size": 1}])
def test_equals_loops(features, arguments):
    layer = with_random_weights(AttentionBranch(6, **arguments), features.shape)
    attended, logits, maps = layer(features)
    expected = by_loops(layer, features)
    for received, wanted in zip((attended, logits, maps["abn"]), expected, strict=True):
        np.testing.assert_allclose(received, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("mechanism", "factor"), [("residual", 1.5), ("product", 0.5)])
def test_no_map_convolution_halves_the_map(features, mechanism, factor):
    layer = AttentionBranch(6, mechanism=mechanism)
    layer.build(features.shape)
    layer.to_map.kernel.assign(tf.zeros_like(layer.to_map.kernel))
    attended, _, maps = layer(features)
    np.testing.assert_allclose(maps["abn"], np.full((2, 7, 5, 1), 0.5))
    np.testing.assert_allclose(attended, factor * features)


def test_map_of_zeros_leaves_the_features_alone(features):
    layer = AttentionBranch(6)
    layer.build(features.shape)
    layer.map_norm.beta.assign([-100.0])
    layer.map_norm.gamma.assign([0.0])
    np.testing.assert_allclose(layer(features)[0], features)


def test_any_size_of_map_gives_logits(features):
    layer = AttentionBranch(6)
    for size in ((7, 5), (14, 14), (3, 20), (1, 1)):
        attended, logits, maps = layer(np.ones((1, *size, 8), np.float32))
        assert (attended.shape, logits.shape, maps["abn"].shape) == ((1, *size, 8), (1, 6), (1, *size, 1))


@pytest.mark.parametrize(("classes", "with_trunk"), [(27, 15_025_156), (1000, 18_027_834)])
def test_parameters(classes, with_trunk):
    """The paper's network has 14,964,736 more in its trunk, a copy of the last stage."""
    layer = AttentionBranch(classes)
    layer.build([None, None, None, 2048])
    trained = sum(weight.shape.num_elements() for weight in layer.trainable_weights)
    assert trained == with_trunk - 14_964_736 == 14_968_834 - 14_964_736 + 2059 * classes + classes**2
    assert trained == branch_parameters(2048, classes)


def test_tens_of_thousands_of_classes_are_refused_without_a_bottleneck():
    assert branch_parameters(2048, 81_313) + 14_964_736 == 6_794_196_270
    with pytest.raises(ValueError, match=r"at most 10,000 classes or a bottleneck.*received 81,313 classes.* "
                                         r"plain K x K convolution has 6\.8 billion parameters"):
        AttentionBranch(81_313).build([None, None, None, 2048])


def test_bottleneck_makes_them_possible():
    layer = AttentionBranch(81_313, bottleneck=4)
    _, logits, _ = layer(np.ones((1, 3, 2, 8), np.float32))
    assert logits.shape == (1, 81_313)
    trained = sum(weight.shape.num_elements() for weight in layer.trainable_weights)
    assert trained == 2 * 8 + 8 * 4 + 2 * 4 + 4 * 81_313 + 9 * 4 + 2


def test_multiply_accumulates():
    layer = AttentionBranch(6)
    layer.build([1, 7, 5, 8])
    assert multiply_accumulates(layer, tf.TensorSpec([1, 7, 5, 8])) == 35 * (8 * 6 + 9 * 6) + 6 * 6


def test_expresses_the_vgg_network_with_27_classes(features):
    layer = AttentionBranch(27, two_convolutions(), mechanism="product", map_size=1)
    attended, logits, maps = layer(features)
    np.testing.assert_allclose(attended, maps["abn"] * features, rtol=1e-6)
    assert logits.shape == (2, 27)
    assert np.abs(logits).max() > 0
    assert not np.allclose(np.sum(logits, axis=1), 1), "logits, not probabilities"
    assert {"conv1/kernel:0", "conv2/bias:0"} <= {weight.name for weight in layer.trainable_weights}


def test_trunk_feeds_the_branch_but_not_what_is_attended(features):
    trunk = tf.keras.layers.Conv2D(12, 1, name="wider")
    layer = AttentionBranch(6, trunk)
    attended, _, maps = layer(features)
    np.testing.assert_allclose(attended, (1 + maps["abn"]) * features, rtol=1e-6)
    assert layer.respond.kernel.shape == (1, 1, 12, 6)


def test_trunk_trains_with_the_branch(features):
    """Batch statistics of the trunk move in training and rest in inference."""
    trunk = tf.keras.Sequential([tf.keras.layers.Conv2D(8, 1), tf.keras.layers.BatchNormalization()])
    layer = AttentionBranch(6, trunk)
    layer(features, training=False)
    norm = trunk.layers[1]
    np.testing.assert_array_equal(norm.moving_mean, 0)
    with tf.GradientTape() as tape:
        _, logits, _ = layer(features, training=True)
        loss = tf.reduce_sum(logits * tf.range(6.0))
    assert np.abs(norm.moving_mean).max() > 0
    assert np.abs(tape.gradient(loss, trunk.layers[0].kernel)).max() > 0


def test_trunk_with_a_stride_is_refused():
    trunk = tf.keras.layers.Conv2D(8, 3, strides=2, padding="same")
    with pytest.raises(ValueError, match=r"expected a trunk of stride 1; received one that makes \(None, 16, 16, 8\)"):
        AttentionBranch(6, trunk).build([None, None, None, 8])


def test_trunk_is_saved_with_the_branch(features, tmp_path):
    inputs = tf.keras.Input([None, None, 8])
    attended, logits, maps = AttentionBranch(6, two_convolutions(), name="branch")(inputs)
    model = tf.keras.Model(inputs, {"attended": attended, "logits": logits, **maps})
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    outputs = model(features)
    for name, values in loaded(features).items():
        np.testing.assert_allclose(values, outputs[name], rtol=1e-5, atol=1e-6)


def test_shapes_of_all_outputs(features):
    layer = AttentionBranch(6)
    attended, logits, maps = layer.compute_output_shape([None, None, None, 8])
    assert attended.as_list() == [None, None, None, 8]
    assert logits.as_list() == [None, 6]
    assert maps["abn"].as_list() == [None, None, None, 1]


def test_logits_are_float32_under_half_precision(features):
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        attended, logits, _ = AttentionBranch(6)(features.astype(np.float16))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert (attended.dtype, logits.dtype) == (tf.float16, tf.float32)


@pytest.mark.parametrize("arguments", [{}, {"mechanism": "product", "map_size": 1}, {"bottleneck": 3}])
def test_contract(check_layer, features, tmp_path, arguments):
    check_layer(lambda **keras: WholeBranch(6, **arguments, **keras), features, tmp_path)


def test_contract_with_a_trunk(check_layer, features, tmp_path):
    check_layer(lambda **keras: WholeBranch(6, two_convolutions(), **keras), features, tmp_path)


@pytest.mark.parametrize("arguments", [
    {"num_classes": 1}, {"num_classes": 6, "mechanism": "sum"}, {"num_classes": 6, "map_size": 5},
    {"num_classes": 6, "bottleneck": 7}, {"num_classes": 6, "bottleneck": 0}])
def test_impossible_arguments(arguments):
    with pytest.raises(ValueError, match=r"expected .* received"):
        AttentionBranch(**arguments)
