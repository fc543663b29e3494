import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.plans.aspect_groups import aspect_plan

SIZES = {(352, 512), (384, 512), (448, 448), (512, 384), (512, 352)}
SHAPES = st.lists(st.sampled_from([(300, 600), (350, 500), (500, 500), (500, 350), (600, 300)]), min_size=4, max_size=40)


@pytest.mark.parametrize(("ratio", "size"), [
    (0.5, (352, 512)), (0.6699, (352, 512)), (0.67, (384, 512)), (0.7699, (384, 512)), (0.77, (448, 448)),
    (1.0, (448, 448)), (1.3299, (448, 448)), (1.33, (512, 384)), (1.4999, (512, 384)), (1.5, (512, 352)), (4.0, (512, 352))])
def test_each_shape_has_its_size(ratio, size):
    plan, sizes = aspect_plan([10_000 * ratio], [10_000], 1, 0, 0)
    assert plan.tolist() == [[0]]
    assert tuple(sizes[0]) == size


@settings(max_examples=60)
@given(SHAPES, st.integers(1, 4), st.integers(0, 5), st.integers(0, 30))
def test_one_shape_per_batch_and_the_same_number_of_steps_each_epoch(shapes, batch, seed, epoch):
    heights, widths = np.array(shapes).T
    plan, sizes = aspect_plan(heights, widths, batch, seed, epoch)
    assert plan.shape == (len(shapes) // batch, batch)
    assert sizes.shape == (len(shapes) // batch, 2)
    assert {tuple(size) for size in sizes} <= SIZES
    ratios = (heights / widths)[plan]
    assert np.all(ratios == ratios[:, :1])
    assert np.all((ratios[:, 0] > 1) == (sizes[:, 0] > sizes[:, 1]))


@settings(max_examples=30)
@given(SHAPES, st.integers(1, 4), st.integers(0, 5))
def test_no_picture_starves_and_none_is_preferred(shapes, batch, seed):
    heights, widths = np.array(shapes).T
    epochs = 30
    used = np.concatenate([aspect_plan(heights, widths, batch, seed, epoch)[0].ravel() for epoch in range(epochs)])
    uses = np.bincount(used, minlength=len(shapes))
    rounds = used.size / len(shapes)
    assert uses.min() >= max(1, rounds - 1 - batch)
    assert uses.max() <= rounds + 1 + 5 * batch / len(shapes)


def test_a_picture_that_alone_has_its_shape_is_used():
    heights, widths = [100] * 20 + [300], [100] * 21
    plans = [aspect_plan(heights, widths, 4, 0, epoch)[0] for epoch in range(12)]
    assert any((plan == 20).any() for plan in plans)


def test_full_groups_are_shuffles():
    plan, _ = aspect_plan([100] * 12, [100] * 12, 4, 0, 3)
    assert sorted(plan.ravel()) == list(range(12))
    assert plan.ravel().tolist() != list(range(12))


def test_batches_of_all_groups_are_mixed():
    shapes = np.array([(300, 600), (500, 500)] * 100)
    _, sizes = aspect_plan(*shapes.T, 10, 0, 0)
    square = sizes[:, 0] == 448
    assert square.sum() == 10
    assert 4 <= np.count_nonzero(np.diff(square)) <= 17


@pytest.mark.parametrize(("scale", "expected"), [
    (0.25, [(96, 128), (96, 128), (128, 128), (128, 96), (128, 96)]),
    (0.5, [(192, 256), (192, 256), (224, 224), (256, 192), (256, 192)]),
    (0.01, [(32, 32)] * 5)])
def test_sizes_scale_in_multiples_of_32(scale, expected):
    for height, size in zip([50, 70, 100, 140, 200], expected, strict=True):
        assert tuple(aspect_plan([height], [100], 1, 0, 0, scale)[1][0]) == size


def test_depends_on_seed_and_epoch_alone():
    heights, widths = np.random.default_rng(0).integers(50, 150, (2, 60))
    first = aspect_plan(heights, widths, 4, 0, 0)[0]
    np.testing.assert_array_equal(first, aspect_plan(heights, widths, 4, 0, 0)[0])
    assert not np.array_equal(first, aspect_plan(heights, widths, 4, 0, 1)[0])
    assert not np.array_equal(first, aspect_plan(heights, widths, 4, 1, 0)[0])


def test_too_few_pictures_is_one_line():
    with pytest.raises(UserError, match=r"batch of 4 pictures; received 3 pictures"):
        aspect_plan([1, 1, 1], [1, 1, 1], 4, 0, 0)


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"epoch": -1}, {"scale": 0.0}])
def test_impossible_numbers_are_refused(options):
    with pytest.raises(ValueError, match="received"):
        aspect_plan(**{"heights": [1], "widths": [1], "batch_size": 1, "seed": 0, "epoch": 0} | options)
