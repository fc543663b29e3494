"""The layers of XFeat by their definitions."""

import numpy as np
import pytest

from landmark_zoo.layers.xfeat import KeypointHeat, NormalizedGray, SpaceToDepth, normalized_gray

RANDOM = np.random.default_rng(0)


def test_gray_image_against_its_definition():
    images = RANDOM.uniform(0, 255, (2, 64, 96, 3))
    gray = images.mean(axis=-1) / 255
    mean, variance = gray.mean(axis=(1, 2), keepdims=True), gray.var(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(normalized_gray(images)[..., 0], (gray - mean) / np.sqrt(variance + 1e-5), atol=1e-4)


def test_sides_are_lowered_by_bilinear_weights():
    """48 rows to 32: each lies between two at (i + 1/2) 3/2 - 1/2."""
    images = np.repeat(RANDOM.uniform(0, 255, (1, 48, 1, 1)), 32, axis=2).repeat(3, axis=3)
    places = (np.arange(32) + 0.5) * 1.5 - 0.5
    rows = np.interp(places, np.arange(48), images[0, :, 0, 0]) / 255
    expected = (rows - rows.mean()) / np.sqrt(rows.var() + 1e-5)
    np.testing.assert_allclose(normalized_gray(images)[0, :, 5, 0], expected, atol=1e-4)


def test_a_flat_image_is_zeros():
    np.testing.assert_allclose(normalized_gray(np.full((1, 40, 33, 3), 200.0)), np.zeros((1, 32, 32, 1)), atol=1e-3)


def test_blocks_row_by_row():
    image = np.arange(16 * 24, dtype=np.float32).reshape(1, 16, 24, 1)
    cells = SpaceToDepth(8)(image)
    for row, column in np.ndindex(2, 3):
        block = image[0, 8 * row:8 * row + 8, 8 * column:8 * column + 8]
        np.testing.assert_array_equal(cells[0, row, column], block.ravel())


def test_heat_against_loops():
    logits = RANDOM.standard_normal((1, 2, 3, 65)).astype(np.float32)
    heat = KeypointHeat()(logits)[0, ..., 0].numpy()
    assert heat.shape == (16, 24)
    for row, column in np.ndindex(2, 3):
        chances = np.exp(logits[0, row, column]) / np.exp(logits[0, row, column]).sum()
        np.testing.assert_allclose(heat[8 * row:8 * row + 8, 8 * column:8 * column + 8].ravel(), chances[:64], rtol=1e-5)


@pytest.mark.parametrize(("create", "shape"), [
    (NormalizedGray, (2, 70, 33, 3)), (lambda **keras: SpaceToDepth(4, **keras), (2, 8, 12, 3)),
    (KeypointHeat, (2, 2, 3, 65))])
def test_contract(create, shape, check_layer, tmp_path):
    check_layer(create, RANDOM.uniform(0, 1, shape).astype(np.float32), tmp_path)


def test_blocks_of_two_or_more():
    with pytest.raises(ValueError, match="expected block >= 2; received 1"):
        SpaceToDepth(1)
