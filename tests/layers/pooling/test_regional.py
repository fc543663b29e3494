import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.layers.embedding import pca_whitening
from landmark_zoo.layers.pooling.regional import RMAC, VectorSum, extra_windows, region_grid, region_maxima


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((2, 7, 5, 6)).astype(np.float32)


def grid_by_loops(height, width, levels=3, overlap=0.4):
    """(top, left, side) of all regions, in floating point as in the authors' code."""
    w = min(height, width)
    apart = [(max(height, width) - w) / (s - 1) for s in range(2, 8)]
    miss = [abs((w**2 - w * b) / w**2 - overlap) for b in apart]
    extra = int(np.argmin(np.round(miss, 9))) + 1
    extra_rows, extra_columns = (extra if height > width else 0), (extra if width > height else 0)
    regions = []
    for level in range(1, levels + 1):
        side = int(np.floor(2 * w / (level + 1)))
        half = np.floor(side / 2 - 1)

        def starts(length, number, side=side, half=half):
            step = 0 if number == 1 else (length - side) / (number - 1)
            return [int(np.floor(half + j * step + 1e-9) - half) for j in range(number)]

        if side > 0:
            regions += [(top, left, side) for top in starts(height, level + extra_rows)
                        for left in starts(width, level + extra_columns)]
    return regions


def grid(height, width):
    regions = []
    for level in (1, 2, 3):
        side, tops, lefts = (np.asarray(part).tolist() for part in region_grid(height, width, level))
        regions += [(top, left, side) for top in tops for left in lefts]
    return regions


def maxima_by_loops(image):
    return [image[top:top + side, left:left + side].max(axis=(0, 1))
            for top, left, side in grid_by_loops(*image.shape[:2])]


def rmac_by_loops(features, whole_map=False, whiten=None):
    vectors = []
    for image in features:
        maxima = maxima_by_loops(image)
        if whole_map:
            maxima.append(image.max(axis=(0, 1)))
        units = [m / np.linalg.norm(m) for m in maxima]
        if whiten is not None:
            mean, projection = whiten
            units = [(u - mean) @ projection for u in units]
            units = [u / np.linalg.norm(u) for u in units]
        vectors.append(sum(units))
    return vectors


@pytest.mark.parametrize(("height", "width", "sides", "tops", "lefts"), [
    (7, 7, [7, 4, 3], [[0], [0, 3], [0, 2, 4]], [[0], [0, 3], [0, 2, 4]]),
    (37, 37, [37, 24, 18], [[0], [0, 13], [0, 9, 19]], [[0], [0, 13], [0, 9, 19]]),
    (24, 32, [24, 16, 12], [[0], [0, 8], [0, 6, 12]], [[0, 8], [0, 8, 16], [0, 6, 13, 20]])])
def test_grids_worked_out_by_hand(height, width, sides, tops, lefts):
    for level in (1, 2, 3):
        side, rows, columns = region_grid(height, width, level)
        assert (int(side), list(rows), list(columns)) == (sides[level - 1], tops[level - 1], lefts[level - 1])


@pytest.mark.parametrize(("height", "width", "extra", "regions"), [
    (7, 7, 0, 14), (16, 16, 0, 14), (24, 32, 1, 20), (32, 24, 1, 20), (16, 32, 2, 26), (8, 32, 5, 44), (37, 37, 0, 14)])
def test_number_of_regions(height, width, extra, regions):
    assert int(extra_windows(height, width)) == extra
    assert len(grid(height, width)) == regions
    assert region_maxima(tf.zeros([1, height, width, 2]), 3).shape == (1, regions, 2)


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 80), width=st.integers(1, 80))
def test_grid_equals_the_loops_and_stays_inside_the_map(height, width):
    regions = grid(height, width)
    assert regions == grid_by_loops(height, width)
    assert all(top + side <= height and left + side <= width for top, left, side in regions)


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_level_1_covers_a_map_up_to_7_times_as_long_as_wide(height, width):
    if max(height, width) > 7 * min(height, width):
        return
    covered = np.zeros((height, width))
    side, tops, lefts = region_grid(height, width, 1)
    for top in np.asarray(tops):
        for left in np.asarray(lefts):
            covered[top:top + int(side), left:left + int(side)] = 1
    assert covered.all()


@pytest.mark.parametrize("whole_map", [False, True])
def test_equals_loops(features, whole_map):
    expected = rmac_by_loops(features, whole_map)
    np.testing.assert_allclose(RMAC(whole_map=whole_map)(features), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("whole_map", "terms"), [(False, 14), (True, 15)])
def test_a_square_map_of_one_constant_channel_counts_the_terms(whole_map, terms):
    np.testing.assert_allclose(RMAC(whole_map=whole_map)(np.full((1, 9, 9, 1), 3, np.float32)), [[terms]], rtol=1e-6)


@pytest.mark.parametrize(("height", "width", "terms"), [(1, 1, 1), (1, 3, 4), (2, 2, 14)])
def test_narrow_maps_leave_out_regions_without_side(height, width, terms):
    assert len(grid_by_loops(height, width)) == terms
    np.testing.assert_allclose(RMAC()(np.ones((1, height, width, 1), np.float32)), [[terms]], rtol=1e-6)


def test_one_graph_serves_all_sizes(features):
    layer = RMAC()
    layer.build(features.shape)
    pool = tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, 6])])
    for size in ((7, 5), (5, 7), (12, 12), (3, 20)):
        image = np.random.default_rng(1).standard_normal((1, *size, 6)).astype(np.float32)
        np.testing.assert_allclose(pool(image), rmac_by_loops(image), rtol=1e-5, atol=1e-5)


def test_whitens_each_region_before_the_sum(features):
    layer = RMAC(whitening_dim=4)
    layer.fit([features, features[:, :4]])
    regions = [region for image in [*features, *features[:, :4]] for region in maxima_by_loops(image)]
    whitening = pca_whitening([r / np.linalg.norm(r) for r in regions], 4)
    np.testing.assert_allclose(layer(features), rmac_by_loops(features, whiten=whitening), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("arguments", [{"whole_map": True}, {"whitening_dim": 4}, {"levels": 1}])
def test_contract(check_layer, arguments, features, tmp_path):
    check_layer(lambda **keras: RMAC(**arguments, **keras), features, tmp_path)


def test_levels_are_checked():
    with pytest.raises(ValueError, match="expected levels >= 1; received 0"):
        RMAC(levels=0)


class Locations(VectorSum):
    """Every location is a vector."""

    def vectors(self, maps):
        return tf.reshape(maps, [tf.shape(maps)[0], -1, maps.shape[-1]])


@pytest.fixture
def maps():
    return np.random.default_rng(0).standard_normal((3, 7, 5, 6)).astype(np.float32)


def test_each_vector_counts_with_length_1(maps):
    vector = Locations()(maps)
    np.testing.assert_allclose(vector, (maps / np.linalg.norm(maps, axis=-1, keepdims=True)).sum(axis=(1, 2)),
                               rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(Locations()(1000 * maps), vector, rtol=1e-5, atol=1e-5)


def test_whitened_vectors_have_no_common_direction(maps):
    layer = Locations(whitening_dim=6)
    layer.fit([maps[:2], maps[2:, :4]])
    units = np.concatenate([np.reshape(part, (-1, 6)) for part in (maps[:2], maps[2:, :4])])
    whitened = layer.whitening(units / np.linalg.norm(units, axis=1, keepdims=True)).numpy()
    np.testing.assert_allclose(np.cov(whitened, rowvar=False, bias=True), np.eye(6), atol=1e-4)
    expected = (whitened[:35] / np.linalg.norm(whitened[:35], axis=1, keepdims=True)).sum(axis=0)
    np.testing.assert_allclose(layer(maps)[0], expected, rtol=1e-4, atol=1e-4)


def test_empty_locations_do_not_count_in_the_whitening(maps):
    layer, with_zeros = Locations(whitening_dim=3), Locations(whitening_dim=3)
    layer.fit([maps])
    with_zeros.fit([np.concatenate([maps, np.zeros_like(maps)])])
    for weight, other in zip(layer.get_weights(), with_zeros.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-6)


def test_whitening_never_learns(maps):
    layer = Locations(whitening_dim=4)
    assert layer(maps).shape == layer.compute_output_shape(maps.shape) == (3, 4)
    assert layer.trainable_weights == []


def test_fit_needs_a_whitening(maps):
    with pytest.raises(ValueError, match="Locations: expected whitening_dim to fit a whitening; received None"):
        Locations().fit([maps])
