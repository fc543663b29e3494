"""Attention-augmented convolution against loops, its paper's counts and its sizes."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.layers.attention.aa import AttentionAugmentedConvolution, relative_attention, relative_embeddings

RANDOM = np.random.default_rng(0)
FEATURES = np.maximum(RANDOM.standard_normal((2, 7, 5, 32)), 0).astype(np.float32)


def small(**arguments):
    return AttentionAugmentedConvolution(**{"heads": 2, "key_dimension": 8, "value_dimension": 4, "extent": (7, 5),
                                            **arguments})


def variables(layer):
    """Its weights by "part/weight"; the tables by name."""
    convolutions = [part for part in layer.submodules if isinstance(part, tf.keras.layers.Conv2D)]
    return ({f"{part.name}/{w.name}": w for part in convolutions for w in part.weights}
            | {w.name: w for w in layer.weights if w.name in ("rows:0", "columns:0")})


def randomised(layer):
    """Builds the layer and gives it random weights; returns them."""
    layer.build([None, 7, 5, 32])
    weights = {name: RANDOM.standard_normal(w.shape).astype(np.float32) / 3 for name, w in variables(layer).items()}
    assign(layer, weights)
    return weights


def assign(layer, weights):
    for name, variable in variables(layer).items():
        variable.assign(weights[name])


def by_loops(image, weights, heads, key_dimension, value_dimension, strides=1, offset_of=lambda d, side: d):
    """One image [H, W, C]; `offset_of` turns an offset into the one that is looked up."""
    kernel, bias = weights["convolution/kernel:0"], weights["convolution/bias:0"]
    border = kernel.shape[0] // 2
    padded = np.pad(image, ((border, border), (border, border), (0, 0)))
    centres = [(y, x) for y in range(0, image.shape[0], strides) for x in range(0, image.shape[1], strides)]
    rows, columns = len(range(0, image.shape[0], strides)), len(range(0, image.shape[1], strides))
    side = range(kernel.shape[0])
    convolved = [sum(padded[y + i, x + j] @ kernel[i, j] for i in side for j in side) + bias for y, x in centres]
    projected = [image[y, x] @ weights["key_query_value/kernel:0"][0, 0] + weights["key_query_value/bias:0"]
                 for y, x in centres]
    key, query, value = np.split(np.array(projected), [key_dimension, 2 * key_dimension], axis=1)
    dk, dv = key_dimension // heads, value_dimension // heads
    attended = np.zeros((len(centres), value_dimension))
    for head in range(heads):
        k, v = slice(head * dk, (head + 1) * dk), slice(head * dv, (head + 1) * dv)
        for i in range(len(centres)):
            logits = np.empty(len(centres))
            for j in range(len(centres)):
                down, right = j // columns - i // columns, j % columns - i % columns
                row = weights["rows:0"][offset_of(down, rows) + len(weights["rows:0"]) // 2]
                column = weights["columns:0"][offset_of(right, columns) + len(weights["columns:0"]) // 2]
                logits[j] = dk**-0.5 * query[i, k] @ (key[j, k] + row + column)
            share = np.exp(logits - logits.max())
            attended[i, v] = share @ value[:, v] / share.sum()
    merged = attended @ weights["merge/kernel:0"][0, 0] + weights["merge/bias:0"]
    return np.concatenate([convolved, merged], axis=1).reshape(rows, columns, -1)


@pytest.mark.parametrize("positions", ["strict", "clip", "interpolate"])
def test_equals_loops_and_all_kinds_agree_on_the_tables_own_size(positions):
    layer = small(positions=positions, filters=12)
    weights = randomised(layer)
    expected = [by_loops(image, weights, 2, 8, 4) for image in FEATURES]
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-5)


def test_equals_loops_with_strides():
    layer = small(filters=12, strides=2, extent=(4, 3))
    weights = randomised(layer)
    expected = [by_loops(image, weights, 2, 8, 4, strides=2) for image in FEATURES]
    assert layer.compute_output_shape(FEATURES.shape) == (2, 4, 3, 12)
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-5)
    assert layer(np.zeros((1, 8, 6, 32), np.float32)).shape == (1, 4, 3, 12)


def test_equals_loops_when_offsets_are_clipped():
    layer = small(filters=12, positions="clip", extent=3)
    weights = randomised(layer)
    expected = [by_loops(image, weights, 2, 8, 4, offset_of=lambda d, _: min(max(d, -2), 2)) for image in FEATURES]
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-5)


def test_relative_embeddings_of_two_locations():
    table = tf.constant([[-1.0], [0.0], [1.0]])
    for positions in ("strict", "clip", "interpolate"):
        np.testing.assert_array_equal(relative_embeddings(table, 2, positions)[..., 0], [[0, 1], [-1, 0]])


def test_clipped_and_interpolated_embeddings_of_other_lengths():
    table = tf.constant([[-2.0], [-1.0], [0.0], [10.0], [20.0]])
    np.testing.assert_array_equal(relative_embeddings(table, 4, "clip")[0, :, 0], [0, 10, 20, 20])
    np.testing.assert_array_equal(relative_embeddings(table, 5, "interpolate")[0, :, 0], [0, 5, 10, 15, 20])
    np.testing.assert_array_equal(relative_embeddings(table, 5, "interpolate")[4, :, 0], [-2, -1.5, -1, -0.5, 0])
    np.testing.assert_array_equal(relative_embeddings(table, 2, "interpolate")[..., 0], [[0, 20], [-2, 0]])
    np.testing.assert_array_equal(relative_embeddings(table, 1, "interpolate")[..., 0], [[0]])


def test_without_queries_and_offsets_all_locations_get_the_mean_value():
    layer = small(return_maps=True, filters=12)
    weights = randomised(layer)
    weights["key_query_value/kernel:0"][..., 8:16] = 0
    weights["key_query_value/bias:0"][8:16] = 0
    assign(layer, weights)
    attended, maps = layer(FEATURES)
    value = FEATURES @ weights["key_query_value/kernel:0"][0, 0, :, 16:] + weights["key_query_value/bias:0"][16:]
    mean = value.mean(axis=(1, 2), keepdims=True) @ weights["merge/kernel:0"][0, 0] + weights["merge/bias:0"]
    np.testing.assert_allclose(attended[..., 8:], np.broadcast_to(mean, (2, 7, 5, 4)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(maps["aa"], np.ones((2, 7, 5, 1)), rtol=1e-5)


def test_a_single_location_attends_to_itself():
    layer = small(filters=12)
    weights = randomised(layer)
    pixel = FEATURES[:, :1, :1]
    value = pixel @ weights["key_query_value/kernel:0"][0, 0, :, 16:] + weights["key_query_value/bias:0"][16:]
    expected = value @ weights["merge/kernel:0"][0, 0] + weights["merge/bias:0"]
    np.testing.assert_allclose(layer(pixel)[..., 8:], expected, rtol=1e-5, atol=1e-5)


def test_without_value_channels_it_is_the_convolution():
    layer = small(value_dimension=0, filters=12)
    weights = randomised(layer)
    assert set(weights) == {"convolution/kernel:0", "convolution/bias:0"}
    expected = tf.nn.conv2d(FEATURES, weights["convolution/kernel:0"], 1, "SAME") + weights["convolution/bias:0"]
    np.testing.assert_allclose(layer(FEATURES), expected, rtol=1e-5, atol=1e-5)


def test_all_channels_may_be_attended():
    layer = small(filters=4)
    assert not any(name.startswith("convolution") for name in randomised(layer))
    assert layer(FEATURES).shape == (2, 7, 5, 4)


@pytest.mark.parametrize(("channels", "parameters"), [(512, 2_330_792), (2048, 36_093_960)])
def test_parameters(channels, parameters):
    layer = AttentionAugmentedConvolution()
    layer.build([None, None, None, channels])
    assert layer.count_params() == parameters


@pytest.mark.parametrize("positions", ["interpolate", "clip"])
def test_row_by_row_equals_at_once(positions):
    query, key, value = (tf.constant(RANDOM.standard_normal((2, 7, 5, d)), tf.float32) for d in (3, 3, 4))
    rows, columns = (relative_embeddings(tf.constant(RANDOM.standard_normal((9, 3)), tf.float32), side, positions)
                     for side in (7, 5))
    arguments = (query, key, value, rows, columns)

    def run(most_logits, recompute):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            attended, received = relative_attention(*arguments, most_logits, recompute)
            loss = tf.reduce_sum(attended**2) + tf.reduce_sum(received**2)
        return [attended, received, *tape.gradient(loss, arguments)]

    expected = run(10**9, False)
    for results in (run(10, False), run(10, True), tf.function(run)(10, True)):
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-5)


def test_row_by_row_with_unknown_sides():
    arguments = [RANDOM.standard_normal(shape).astype(np.float32)
                 for shape in ((2, 7, 5, 3), (2, 7, 5, 3), (2, 7, 5, 4), (7, 7, 3), (5, 5, 3))]
    signature = [tf.TensorSpec([None] * (a.ndim - 1) + [a.shape[-1]]) for a in arguments]
    expected = relative_attention(*arguments)
    for most_logits in (10, 10**9):
        attend = tf.function(lambda *a, n=most_logits: relative_attention(*a, n), input_signature=signature)
        results = attend(*arguments)
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-6)


def test_strict_tables_refuse_another_size():
    layer = small(positions="strict")
    layer(FEATURES)
    with pytest.raises(ValueError, match=r"tied to one size of map: expected \(7, 5\); received \(5, 7\)"):
        layer(np.zeros((1, 5, 7, 32), np.float32))
    unknown = tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, 32])])
    unknown(FEATURES)
    with pytest.raises(tf.errors.InvalidArgumentError, match="tied to one size of map"):
        unknown(np.zeros((1, 5, 7, 32), np.float32))


@pytest.mark.parametrize("arguments", [{"key_dimension": 9}, {"value_dimension": 3}, {"value_dimension": 34}])
def test_dimensions_that_the_heads_cannot_share(arguments):
    with pytest.raises(ValueError, match="divisible by heads=2, the latter at most 32; received"):
        small(**arguments).build([None, 7, 5, 32])


@pytest.mark.parametrize("arguments", [{"kernel_size": 2}, {"positions": "absolute"}, {"extent": 0}, {"strides": 0}])
def test_arguments_that_make_no_sense(arguments):
    with pytest.raises(ValueError, match="expected an odd kernel_size"):
        AttentionAugmentedConvolution(**arguments)


@pytest.mark.parametrize(("arguments", "unknown_size"), [
    ({"positions": "clip", "extent": 3}, True), ({"positions": "strict", "extent": (7, 5)}, False),
    ({"filters": 48, "strides": 2}, True)])
def test_contract(check_layer, arguments, unknown_size, tmp_path):
    check_layer(lambda **kwargs: AttentionAugmentedConvolution(**arguments, **kwargs), FEATURES, tmp_path,
                unknown_size=unknown_size)
