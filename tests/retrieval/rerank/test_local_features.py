import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.geometric_reranker import GeometricReranker
from landmark_zoo.retrieval.rerank.local_features import LocalFeatures, strongest


def patchwork(seed, rows=6, columns=8, cell=32):
    colours = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)
    return colours.repeat(cell, 0).repeat(cell, 1)


def test_points_are_the_centres_of_the_cells(local_model):
    picture = patchwork(0)
    found = LocalFeatures(local_model, side=256)(picture)
    assert len(found) == 48
    assert sorted({x for x, _ in found.points.tolist()}) == [16 + 32 * n for n in range(8)]
    for (x, y), vector in zip(found.points, found.vectors, strict=True):
        colour = picture[int(y), int(x)].astype(float)
        np.testing.assert_allclose(vector, colour / np.linalg.norm(colour), atol=1e-3)


def test_the_brightest_come_first_and_the_count_bounds(local_model):
    picture = patchwork(1)
    every, few = LocalFeatures(local_model, side=256), LocalFeatures(local_model, side=256, count=5)
    np.testing.assert_array_equal(few(picture).points, every(picture).points[:5])
    brightness = [picture[int(y), int(x)].sum() for x, y in every(picture).points]
    assert brightness == sorted(brightness, reverse=True)


def test_points_are_in_pixels_of_the_photograph_whatever_the_scale(local_model):
    found = LocalFeatures(local_model, side=128, scales=(1.0, 2.0))(patchwork(0))
    assert found.points.max() <= 256
    assert len(found) == 48 + 12


def test_a_shifted_photograph_is_found_with_its_shift(local_model):
    picture, other = patchwork(2, columns=12), patchwork(3, columns=12)
    photographs = {"other": other[:, 96:], "shifted": picture[:, 96:]}
    reranker = GeometricReranker(LocalFeatures(local_model, side=288), tolerance=8.0)
    done = reranker.rerank(picture[:, :288], list(photographs), photographs.__getitem__)
    assert done.ids[0] == "shifted"
    assert done.scores[0] >= 15
    shift = done.geometry[0].query_points - done.geometry[0].candidate_points
    np.testing.assert_allclose(shift, np.tile([96, 0], (len(shift), 1)), atol=8)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200), st.integers(1, 15), st.sampled_from([0.0, 1.0, 3.0]))
def test_strongest(seed, count, radius):
    random = np.random.default_rng(seed)
    points, scores = random.integers(0, 8, (25, 2)).astype(np.float32), random.integers(0, 5, 25).astype(np.float32)
    kept = strongest(points, scores, count, radius)
    expected = []
    for row in sorted(range(25), key=lambda row: -scores[row]):
        if len(expected) < count and all(np.linalg.norm(points[row] - points[other]) > radius for other in expected):
            expected.append(row)
    assert kept.tolist() == expected


def test_a_model_without_local_features(tiny_model):
    with pytest.raises(UserError, match="with the signature local at"):
        LocalFeatures(tiny_model)
