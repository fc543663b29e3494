"""The bottleneck attention module against loops, in the code's form and in the paper's."""


import numpy as np
import pytest

from landmark_zoo.layers.attention.bam import BAM

FORMS = ["product", "sum"]


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 8)).astype(np.float32)


def randomised(layer, shape):
    layer.build(shape)
    random = np.random.default_rng(1)
    for weight in layer.weights:
        value = random.standard_normal(weight.shape)
        weight.assign(0.5 + np.abs(value) if "variance" in weight.name else 0.5 * value)
    return layer


def convolution(image, kernel, bias, dilation=1):
    """A zero-padded convolution of one image, pixel by pixel."""
    height, width, _ = image.shape
    half = kernel.shape[0] // 2
    out = np.empty((height, width, kernel.shape[-1]))
    for i in range(height):
        for j in range(width):
            out[i, j] = bias
            for di in range(-half, half + 1):
                for dj in range(-half, half + 1):
                    y, x = i + dilation * di, j + dilation * dj
                    if 0 <= y < height and 0 <= x < width:
                        out[i, j] += image[y, x] @ kernel[half + di, half + dj]
    return out


def norm(x, gamma, beta, mean, variance):
    return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta


def branch(x, form, weights, dilations):
    """Applies [kernel, bias(, gamma, beta, mean, variance)] step by step."""
    for index, dilation in enumerate(dilations):
        last = index == len(dilations) - 1
        kernel, bias = next(weights), next(weights)
        x = convolution(x, kernel, bias, dilation)
        if last == (form == "sum"):
            x = norm(x, *(next(weights) for _ in range(4)))
        if not last:
            x = np.maximum(x, 0)
    return x


def by_loops(features, layer):
    attended = np.empty_like(features)
    for b, image in enumerate(features):
        channel_weights, spatial_weights = (
            iter([w.numpy() for sub in layers for w in sub.weights]) for layers in (layer.channel, layer.spatial))
        channel = branch(image.mean(axis=(0, 1), keepdims=True), layer.form, channel_weights, [1, 1])
        spatial = branch(image, layer.form, spatial_weights, [1, layer.dilation, layer.dilation, 1])
        logits = channel * spatial if layer.form == "product" else channel + spatial
        attended[b] = image * (1 + 1 / (1 + np.exp(-logits)))
    return attended


@pytest.mark.parametrize("dilation", [1, 4])
@pytest.mark.parametrize("form", FORMS)
def test_equals_loops(form, dilation, features):
    layer = randomised(BAM(form, reduction=2, dilation=dilation), features.shape)
    np.testing.assert_allclose(layer(features), by_loops(features, layer), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_zero_weights_give_one_and_a_half(form, features):
    layer = BAM(form, reduction=2)
    layer.build(features.shape)
    layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    np.testing.assert_array_equal(layer(features), 1.5 * features)


@pytest.mark.parametrize("form", FORMS)
def test_output_is_between_one_and_two_times_the_input(form, features):
    attended, maps = randomised(BAM(form, reduction=2, return_maps=True), features.shape)(features)
    assert maps["bam"].shape == features.shape
    np.testing.assert_allclose(attended, (1 + maps["bam"]) * features, rtol=1e-6)


@pytest.mark.parametrize(("form", "channels", "parameters"), [
    ("product", 2048, 1_085_057), ("product", 512, 68_513), ("sum", 2048, 1_088_131), ("sum", 512, 69_283)])
def test_parameters(form, channels, parameters):
    layer = BAM(form)
    layer.build([None, None, None, channels])
    assert sum(np.prod(w.shape) for w in layer.trainable_weights) == parameters


def test_mean_is_over_the_whole_of_an_oblong_map():
    """The authors' code pools squares of the map's height and so sees only part of a wide map."""
    layer = randomised(BAM(reduction=2), [None, None, None, 8])
    wide = np.zeros((1, 3, 9, 8), np.float32)
    wide[:, :, 8] = 5
    np.testing.assert_allclose(layer(wide), by_loops(wide, layer), rtol=1e-5)


def test_statistics_move_in_training_only(features):
    layer = BAM(reduction=2)
    layer(features, training=False)
    before = [w.numpy() for w in layer.non_trainable_weights]
    layer(features)
    for old, new in zip(before, layer.non_trainable_weights, strict=True):
        np.testing.assert_array_equal(new, old)
    layer(features, training=True)
    assert all(np.any(new.numpy() != old) for old, new in zip(before, layer.non_trainable_weights, strict=True))


@pytest.mark.parametrize("arguments", [{"form": "mean"}, {"reduction": 0}, {"dilation": 0}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="expected form 'product' or 'sum', reduction >= 1 and"):
        BAM(**arguments)
