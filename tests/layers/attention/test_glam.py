import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.glam import GLAM, GLAMGlobal, GLAMGlobalChannel, GLAMGlobalSpatial, mix_channels
from landmark_zoo.layers.attention.glam_local import GLAMLocal

RANDOM = np.random.default_rng(0)
FEATURES = np.maximum(RANDOM.standard_normal((2, 7, 5, 32)), 0).astype(np.float32)
TWO_PIXELS = np.array([[[[1, 2], [3, 4]]]], np.float32)
CENTRE = np.array([0, 1, 0], np.float32).reshape(3, 1, 1)
LAYERS = (GLAMGlobalChannel, GLAMGlobalSpatial, GLAMGlobal)


def randomised(layer):
    layer.build(FEATURES.shape)
    layer.set_weights([RANDOM.standard_normal(w.shape).astype(np.float32) / 5 for w in layer.get_weights()])
    return layer.get_weights()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def channel_affinity(image, query_kernel, key_kernel, axis):
    """The paper's A, [C, C]: softmax over `axis` of K^T Q."""
    means = np.pad(image.mean(axis=(0, 1)), len(query_kernel) // 2)
    query, key = (sigmoid(np.array([means[c:c + len(kernel)] @ kernel[:, 0, 0] for c in range(image.shape[-1])]))
                  for kernel in (query_kernel, key_kernel))
    weights = np.exp(np.outer(key, query))
    return weights / weights.sum(axis=axis, keepdims=True)


def channel_mix(image, weights):
    return image @ channel_affinity(image, *weights, axis=-2)


def spatial_mix(image, weights):
    """Loops over locations; weights in the order of building: query, key, value, expand."""
    flat = image.reshape(-1, image.shape[-1])
    query, key, value = (flat @ weights[i][0, 0] + weights[i + 1] for i in (0, 2, 4))
    mixed = np.zeros_like(query)
    for i in range(len(flat)):
        share = np.exp([query[i] @ key[j] for j in range(len(flat))])
        mixed[i] = sum(s * v for s, v in zip(share, value, strict=True)) / share.sum()
    return (mixed @ weights[6][0, 0] + weights[7]).reshape(image.shape)


def test_global_channel_equals_loops():
    layer = GLAMGlobalChannel(kernel_size=5)
    weights = randomised(layer)
    expected = [image * channel_mix(image, weights) for image in FEATURES]
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-6)


def test_global_spatial_equals_loops():
    layer = GLAMGlobalSpatial(width=6)
    weights = randomised(layer)
    expected = [image * spatial_mix(image, weights) + image for image in FEATURES]
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-5)


def test_both_maps_are_of_the_features_themselves():
    layer = GLAMGlobal(width=6)
    weights = randomised(layer)
    expected = []
    for image in FEATURES:
        attended = image * channel_mix(image, weights[:2])
        expected.append(attended * spatial_mix(image, weights[2:]) + attended)
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-5)


def test_softmax_over_the_keys_worked_out_by_hand():
    affinity = channel_affinity(TWO_PIXELS[0], CENTRE, CENTRE, axis=-2)
    np.testing.assert_allclose(affinity, [[0.484200, 0.482913], [0.515800, 0.517087]], atol=1e-6)
    layer = GLAMGlobalChannel()
    layer.build(TWO_PIXELS.shape)
    layer.set_weights([CENTRE, CENTRE])
    mixed, _ = layer.mixed(tf.constant(TWO_PIXELS))
    np.testing.assert_allclose(mixed[0, 0], [[1.515800, 1.517087], [3.515800, 3.517087]], atol=1e-6)
    np.testing.assert_allclose(layer(TWO_PIXELS), TWO_PIXELS * mixed, rtol=1e-6)


def test_softmax_over_the_queries_would_give_other_numbers():
    affinity = channel_affinity(TWO_PIXELS[0], CENTRE, CENTRE, axis=-1)
    np.testing.assert_allclose(affinity, [[0.4842, 0.5158], [0.482913, 0.517087]], atol=1e-6)
    wrong = TWO_PIXELS[0, 0] @ affinity
    np.testing.assert_allclose(wrong, [[1.450027, 1.549973], [3.384254, 3.615746]], atol=1e-6)
    layer = GLAMGlobalChannel()
    layer.build(TWO_PIXELS.shape)
    layer.set_weights([CENTRE, CENTRE])
    assert np.abs(layer.mixed(tf.constant(TWO_PIXELS))[0][0, 0] - wrong).max() > 0.06


def test_a_channel_is_mixed_by_its_own_query():
    query, key = np.array([[0, 5]], np.float32), np.array([[1, 3]], np.float32)
    mixed, share = mix_channels(query, key, TWO_PIXELS)
    keen = 1 / (1 + np.exp(-10))
    np.testing.assert_allclose(mixed[0, 0], [[1.5, 1 + keen], [3.5, 3 + keen]], rtol=1e-6)
    np.testing.assert_allclose(share[0, 0, 0], [0.5 + 1 - keen, 0.5 + keen], rtol=1e-5)


def test_global_channel_is_nearly_the_mean_of_all_channels():
    layer = GLAMGlobalChannel()
    randomised(layer)
    mixed, share = layer.mixed(tf.constant(FEATURES))
    assert (share.numpy() > np.exp(-1)).all()
    assert (share.numpy() < np.e).all()
    np.testing.assert_allclose(mixed, np.broadcast_to(FEATURES.mean(-1, keepdims=True), mixed.shape), rtol=0.2)


def test_global_spatial_attends_without_scale():
    """Two pixels, q = k = v = F: the unscaled softmax of Non-local's oracle."""
    layer = GLAMGlobalSpatial(return_maps=True)
    layer.build([None, 1, 2, 2])
    eye, zero = np.eye(2, dtype=np.float32)[None, None], np.zeros(2, np.float32)
    layer.set_weights([eye, zero] * 4)
    features = np.array([[[[1, 0], [0, 2]]]], np.float32)
    mixed, share = layer.mixed(tf.constant(features))
    np.testing.assert_allclose(mixed[0, 0], [[0.731059, 0.537883], [0.017986, 1.964028]], atol=1e-6)
    np.testing.assert_allclose(share[0, 0, :, 0], [0.749045, 1.250955], atol=1e-6)


def test_zero_weights():
    """A_c is uniform: F_g = F times the mean of its channels; G_s is 0."""
    mean = FEATURES.mean(axis=-1, keepdims=True)
    for layer, expected in ((GLAMGlobalChannel(), FEATURES * mean), (GLAMGlobalSpatial(), FEATURES),
                            (GLAMGlobal(), FEATURES * mean)):
        layer.build(FEATURES.shape)
        layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
        np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5)


def test_the_global_stream_is_cubic_in_the_features():
    layer = GLAMGlobal(width=6)
    weights = randomised(layer)
    uniform_or_bias = {0, 1, 2, 3, 5, 7, 9}
    layer.set_weights([np.zeros_like(w) if i in uniform_or_bias else w for i, w in enumerate(weights)])
    quadratic = FEATURES * FEATURES.mean(axis=-1, keepdims=True)
    cubic = layer(FEATURES) - quadratic
    np.testing.assert_allclose(layer(10 * FEATURES), 1000 * cubic + 100 * quadratic, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(("layer", "parameters"), [
    (GLAMGlobalChannel(), 6), (GLAMGlobalSpatial(), 3 * (2048 * 512 + 512) + 512 * 2048 + 2048)])
def test_parameters(layer, parameters):
    layer.build([None, None, None, 2048])
    assert layer.count_params() == parameters


def test_affinities_of_channels_are_float32_whatever_the_policy():
    half = [tf.cast(x, tf.float16) for x in (RANDOM.random((1, 2048)), RANDOM.random((1, 2048)),
                                             RANDOM.random((1, 2, 2, 2048)))]
    mixed, share = mix_channels(*half)
    assert mixed.dtype == tf.float16
    assert share.dtype == tf.float32
    np.testing.assert_allclose(tf.reduce_sum(share), 2048, rtol=1e-4)
    wanted, _ = mix_channels(*(tf.cast(x, tf.float32) for x in half))
    np.testing.assert_allclose(mixed, wanted, rtol=5e-3)


@pytest.mark.parametrize("layer", [GLAMGlobalChannel, GLAMGlobal])
def test_even_kernels_are_refused(layer):
    with pytest.raises(ValueError, match="expected an odd kernel_size; received 4"):
        layer(kernel_size=4)


@pytest.mark.parametrize("layer", [GLAMGlobalSpatial, GLAMGlobal])
def test_no_width_is_refused(layer):
    with pytest.raises(ValueError, match="expected width >= 1; received 0"):
        layer(width=0)


def with_zeros(shape):
    layer = GLAM()
    layer.build(shape)
    layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    return layer


def test_is_the_weighted_sum_of_both_streams_and_the_features():
    glam, local, global_ = GLAM(width=6), GLAMLocal(width=6), GLAMGlobal(width=6)
    for layer in (glam, local, global_):
        layer.build(FEATURES.shape)
    for stream, own in ((glam.local, local), (glam.global_, global_)):
        own.set_weights([RANDOM.standard_normal(w.shape).astype(np.float32) / 5 for w in own.get_weights()])
        stream.set_weights(own.get_weights())
    scalars = np.array([1, -1, 0.5], np.float32)
    glam.fusion.assign(scalars)
    weights = np.exp(scalars) / np.exp(scalars).sum()
    expected = weights[0] * local(FEATURES) + weights[1] * global_(FEATURES) + weights[2] * FEATURES
    np.testing.assert_allclose(glam(FEATURES), expected, rtol=1e-5, atol=1e-5)


def test_starts_with_equal_thirds():
    layer = GLAM(width=6)
    layer.build(FEATURES.shape)
    expected = (layer.local(FEATURES)[0] + layer.global_(FEATURES)[0] + FEATURES) / 3
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-6)


def test_zero_weights_worked_out_by_hand():
    """(1.5 F + F mean_c(F) + F) / 3."""
    pixels = np.array([[[[1, 2], [3, 4]]]], np.float32)
    np.testing.assert_allclose(with_zeros(pixels.shape)(pixels)[0, 0], [[1.333333, 2.666667], [6, 8]], rtol=1e-5)
    ones = np.ones((1, 3, 4, 16), np.float32)
    np.testing.assert_allclose(with_zeros(ones.shape)(ones), 1.166667 * ones, rtol=1e-6)


@pytest.mark.parametrize(("width", "channels", "parameters"), [
    (512, 2048, 12_591_117), (256, 2048, 4_461_581), (1024, 2048, 39_860_237),
    (512, 512, 8_657_421), (256, 512, 2_493_965), (128, 512, 788_493), (64, 512, 279_821)])
def test_glam_parameters(width, channels, parameters):
    layer = GLAM(width)
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters


def test_four_maps():
    _, maps = GLAM(return_maps=True)(FEATURES)
    assert {name: tuple(value.shape) for name, value in maps.items()} == {
        "local_channel": (2, 1, 1, 32), "local_spatial": (2, 7, 5, 1),
        "global_channel": (2, 1, 1, 32), "global_spatial": (2, 7, 5, 1)}
