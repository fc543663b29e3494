import logging

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.samplers import aspect_sampler, balanced_sampler, landmark_subset, pk_sampler, tuple_sampler

COUNTS = st.lists(st.integers(1, 9), min_size=1, max_size=10)


def labels_of(counts, shuffle=0):
    return np.random.default_rng(shuffle).permutation(np.repeat(np.arange(len(counts)), counts))


@settings(max_examples=80)
@given(COUNTS, st.integers(1, 5), st.integers(2, 5), st.integers(0, 9), st.integers(0, 20))
def test_exactly_p_landmarks_of_k_images(counts, p, k, seed, epoch):
    usable = [label for label, count in enumerate(counts) if count > 1]
    assume(len(usable) >= p)
    labels = labels_of(counts)
    plan = pk_sampler(labels, p, k, seed, epoch)
    assert plan.shape == (-(-len(usable) // p), p * k)
    for row in plan:
        groups = row.reshape(p, k)
        found = labels[groups]
        assert np.all(found == found[:, :1])
        assert len(set(found[:, 0])) == p
        for group, label in zip(groups, found[:, 0], strict=True):
            assert len(set(group)) == min(k, counts[label])
    assert set(labels[plan].ravel()) == set(usable)


@settings(max_examples=40)
@given(COUNTS, st.integers(2, 4), st.integers(0, 9), st.integers(0, 5))
def test_in_one_deal_every_image_has_its_turn(counts, k, seed, deal):
    assume(max(counts) > 1)
    labels = labels_of(counts)
    for label, count in enumerate(counts):
        if count > 1:
            epochs = -(-count // k)
            used = {int(number) for epoch in range(deal * epochs, (deal + 1) * epochs)
                    for number in pk_sampler(labels, 1, k, seed, epoch).ravel() if labels[number] == label}
            assert used == set(np.flatnonzero(labels == label))


def test_partners_change_from_deal_to_deal():
    labels = np.zeros(8, int)
    partners = {frozenset(row) for epoch in range(40) for row in pk_sampler(labels, 1, 2, 0, epoch)}
    assert len(partners) > 15


def test_depends_on_seed_and_epoch_alone():
    labels = labels_of([5, 6, 7, 8])
    first = pk_sampler(labels, 2, 3, 0, 0)
    np.testing.assert_array_equal(first, pk_sampler(labels, 2, 3, 0, 0))
    assert not np.array_equal(first, pk_sampler(labels, 2, 3, 0, 1))
    assert not np.array_equal(first, pk_sampler(labels, 2, 3, 1, 0))


def test_landmarks_with_one_image_are_left_out_and_counted(caplog):
    with caplog.at_level(logging.INFO, logger="absl"):
        plan = pk_sampler([0, 0, 1, 2, 2, 3], 2, 2, 0, 0)
    assert set(plan.ravel()) == {0, 1, 3, 4}
    assert "2 of 4 landmarks have one image and are left out" in caplog.text


def test_too_few_landmarks_is_one_line_with_both_numbers():
    with pytest.raises(UserError, match=r"at least 3 landmarks with two images .* received 2 of 4 landmarks"):
        pk_sampler([0, 0, 1, 2, 2, 3], 3, 2, 0, 0)


@pytest.mark.parametrize("options", [{"classes_per_batch": 0}, {"images_per_class": 1}, {"epoch": -1}])
def test_impossible_numbers_are_refused(options):
    with pytest.raises(ValueError, match="received"):
        pk_sampler(**{"labels": [0, 0], "classes_per_batch": 1, "images_per_class": 2, "seed": 0, "epoch": 0} | options)


BALANCED_COUNTS = st.lists(st.integers(1, 12), min_size=1, max_size=8)


def labels_of_balanced(counts):
    return np.repeat(np.arange(len(counts)), counts)


def turns(counts, plans):
    return np.bincount(np.repeat(np.arange(len(counts)), counts)[np.concatenate(plans).ravel()], minlength=len(counts))


@settings(max_examples=50)
@given(BALANCED_COUNTS, st.integers(1, 5), st.integers(0, 9), st.integers(0, 9), st.sampled_from([0.0, 0.5, 1.0]))
def test_an_epoch_is_as_long_as_a_plain_one_and_shares_are_kept(counts, batch, seed, epoch, exponent):
    labels = labels_of_balanced(counts)
    if len(labels) < batch:
        return
    plan = balanced_sampler(labels, batch, seed, epoch, exponent)
    assert plan.shape == (len(labels) // batch, batch)
    assert 0 <= plan.min() <= plan.max() < len(labels)
    shares = plan.size * np.array(counts) ** exponent / (np.array(counts) ** exponent).sum()
    assert np.all(np.abs(turns(counts, [plan]) - shares) < 1 + 1e-6)


@settings(max_examples=25)
@given(BALANCED_COUNTS, st.integers(1, 4), st.integers(0, 9), st.sampled_from([0.0, 0.5, 1.0]))
def test_over_the_epochs_every_image_is_used_in_turn(counts, batch, seed, exponent):
    labels = labels_of_balanced(counts)
    if len(labels) < batch:
        return
    plans = [balanced_sampler(labels, batch, seed, epoch, exponent) for epoch in range(40)]
    uses = np.bincount(np.concatenate(plans).ravel(), minlength=len(labels))
    assert uses.min() >= 1
    for label in range(len(counts)):
        assert np.ptp(uses[labels == label]) <= 1


def test_a_landmark_with_less_than_a_turn_per_epoch_comes_at_even_intervals():
    plans = [balanced_sampler(range(19), 10, 0, epoch) for epoch in range(40)]
    for number in range(19):
        met = [epoch for epoch, plan in enumerate(plans) if (plan == number).any()]
        assert met[0] <= 3
        assert np.diff(met).max() <= 3


def test_uniform_over_landmarks_by_default():
    plans = [balanced_sampler(labels_of_balanced([2, 50, 8]), 6, 1, epoch) for epoch in range(10)]
    assert np.all(turns([2, 50, 8], plans) == 200)


def test_the_order_is_mixed_and_depends_on_seed_and_epoch_alone():
    labels = labels_of_balanced([30, 30, 40])
    first = balanced_sampler(labels, 10, 0, 0)
    np.testing.assert_array_equal(first, balanced_sampler(labels, 10, 0, 0))
    assert not np.array_equal(first, balanced_sampler(labels, 10, 0, 1))
    assert not np.array_equal(first, balanced_sampler(labels, 10, 1, 0))
    assert min(len(set(labels[row])) for row in first) >= 2


def test_labels_need_not_be_sorted_or_dense():
    labels = np.array([7, 3, 7, 9, 3, 7, 7, 9])
    used = labels[balanced_sampler(labels, 3, 0, 0)]
    assert used.shape == (2, 3)
    assert sorted(np.unique(used, return_counts=True)[1]) == [2, 2, 2]


def test_too_few_images_is_one_line():
    with pytest.raises(UserError, match=r"batch of 9 images; received 4 images"):
        balanced_sampler([0, 0, 1, 1], 9, 0, 0)


@pytest.mark.parametrize("options", [{"exponent": 1.5}, {"exponent": -0.1}, {"batch_size": 0}, {"epoch": -1}])
def test_balanced_impossible_numbers_are_refused(options):
    with pytest.raises(ValueError, match="received"):
        balanced_sampler(**{"labels": [0, 1], "batch_size": 1, "seed": 0, "epoch": 0} | options)


SIZES = {(352, 512), (384, 512), (448, 448), (512, 384), (512, 352)}
SHAPES = st.lists(st.sampled_from([(300, 600), (350, 500), (500, 500), (500, 350), (600, 300)]), min_size=4, max_size=40)


@pytest.mark.parametrize(("ratio", "size"), [
    (0.5, (352, 512)), (0.6699, (352, 512)), (0.67, (384, 512)), (0.7699, (384, 512)), (0.77, (448, 448)),
    (1.0, (448, 448)), (1.3299, (448, 448)), (1.33, (512, 384)), (1.4999, (512, 384)), (1.5, (512, 352)), (4.0, (512, 352))])
def test_each_shape_has_its_size(ratio, size):
    plan, sizes = aspect_sampler([10_000 * ratio], [10_000], 1, 0, 0)
    assert plan.tolist() == [[0]]
    assert tuple(sizes[0]) == size


@settings(max_examples=60)
@given(SHAPES, st.integers(1, 4), st.integers(0, 5), st.integers(0, 30))
def test_one_shape_per_batch_and_the_same_number_of_steps_each_epoch(shapes, batch, seed, epoch):
    heights, widths = np.array(shapes).T
    plan, sizes = aspect_sampler(heights, widths, batch, seed, epoch)
    assert plan.shape == (len(shapes) // batch, batch)
    assert sizes.shape == (len(shapes) // batch, 2)
    assert {tuple(size) for size in sizes} <= SIZES
    ratios = (heights / widths)[plan]
    assert np.all(ratios == ratios[:, :1])
    assert np.all((ratios[:, 0] > 1) == (sizes[:, 0] > sizes[:, 1]))


@settings(max_examples=30)
@given(SHAPES, st.integers(1, 4), st.integers(0, 5))
def test_no_image_starves_and_none_is_preferred(shapes, batch, seed):
    heights, widths = np.array(shapes).T
    epochs = 30
    used = np.concatenate([aspect_sampler(heights, widths, batch, seed, epoch)[0].ravel() for epoch in range(epochs)])
    uses = np.bincount(used, minlength=len(shapes))
    rounds = used.size / len(shapes)
    assert uses.min() >= max(1, rounds - 1 - batch)
    assert uses.max() <= rounds + 1 + 5 * batch / len(shapes)


def test_an_image_that_alone_has_its_shape_is_used():
    heights, widths = [100] * 20 + [300], [100] * 21
    plans = [aspect_sampler(heights, widths, 4, 0, epoch)[0] for epoch in range(12)]
    assert any((plan == 20).any() for plan in plans)


def test_full_groups_are_shuffles():
    plan, _ = aspect_sampler([100] * 12, [100] * 12, 4, 0, 3)
    assert sorted(plan.ravel()) == list(range(12))
    assert plan.ravel().tolist() != list(range(12))


def test_batches_of_all_groups_are_mixed():
    shapes = np.array([(300, 600), (500, 500)] * 100)
    _, sizes = aspect_sampler(*shapes.T, 10, 0, 0)
    square = sizes[:, 0] == 448
    assert square.sum() == 10
    assert 4 <= np.count_nonzero(np.diff(square)) <= 17


@pytest.mark.parametrize(("scale", "expected"), [
    (0.25, [(96, 128), (96, 128), (128, 128), (128, 96), (128, 96)]),
    (0.5, [(192, 256), (192, 256), (224, 224), (256, 192), (256, 192)]),
    (0.01, [(32, 32)] * 5)])
def test_sizes_scale_in_multiples_of_32(scale, expected):
    for height, size in zip([50, 70, 100, 140, 200], expected, strict=True):
        assert tuple(aspect_sampler([height], [100], 1, 0, 0, scale)[1][0]) == size


def test_aspect_groups_depends_on_seed_and_epoch_alone():
    heights, widths = np.random.default_rng(0).integers(50, 150, (2, 60))
    first = aspect_sampler(heights, widths, 4, 0, 0)[0]
    np.testing.assert_array_equal(first, aspect_sampler(heights, widths, 4, 0, 0)[0])
    assert not np.array_equal(first, aspect_sampler(heights, widths, 4, 0, 1)[0])
    assert not np.array_equal(first, aspect_sampler(heights, widths, 4, 1, 0)[0])


def test_aspect_groups_too_few_images_is_one_line():
    with pytest.raises(UserError, match=r"batch of 4 images; received 3 images"):
        aspect_sampler([1, 1, 1], [1, 1, 1], 4, 0, 0)


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"epoch": -1}, {"scale": 0.0}])
def test_aspect_groups_impossible_numbers_are_refused(options):
    with pytest.raises(ValueError, match="received"):
        aspect_sampler(**{"heights": [1], "widths": [1], "batch_size": 1, "seed": 0, "epoch": 0} | options)


@given(st.integers(1, 30), st.integers(2, 7), st.integers(1, 5), st.integers(0, 9), st.integers(0, 9))
def test_whole_tuples_each_at_most_once(queries, width, batch, seed, epoch):
    tuples = np.arange(queries * width).reshape(queries, width)
    if queries < batch:
        return
    plan = tuple_sampler(tuples, batch, seed, epoch)
    assert plan.shape == (queries // batch, batch * width)
    rows = [tuple(row) for row in plan.reshape(-1, width)]
    assert len(set(rows)) == len(rows)
    assert set(rows) <= {tuple(row) for row in tuples}


def test_over_the_epochs_every_tuple_is_used():
    tuples = np.arange(21).reshape(7, 3)
    used = {int(row[0]) for epoch in range(12) for row in tuple_sampler(tuples, 3, 0, epoch).reshape(-1, 3)}
    assert used == set(range(0, 21, 3))


def test_tuples_depends_on_seed_and_epoch_alone():
    tuples = np.arange(40).reshape(10, 4)
    first = tuple_sampler(tuples, 2, 0, 0)
    np.testing.assert_array_equal(first, tuple_sampler(tuples, 2, 0, 0))
    assert not np.array_equal(first, tuple_sampler(tuples, 2, 0, 1))
    assert not np.array_equal(first, tuple_sampler(tuples, 2, 1, 0))


def test_too_few_tuples_is_one_line():
    with pytest.raises(UserError, match=r"batch of 5 tuples; received 4 tuples"):
        tuple_sampler(np.zeros((4, 3), int), 5, 0, 0)


@pytest.mark.parametrize("options", [{"tuples": [1, 2]}, {"tuples": [[1], [2]]}, {"tuples_per_batch": 0}, {"epoch": -1}])
def test_impossible_input_is_refused(options):
    with pytest.raises(ValueError, match="received"):
        tuple_sampler(**{"tuples": [[0, 1, 2]], "tuples_per_batch": 1, "seed": 0, "epoch": 0} | options)


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(1, 150), st.integers(0, 3))
def test_chosen_images_have_partners_and_are_as_many_as_fit(counts, count, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)) * 3, counts))
    numbers = landmark_subset(labels, count, seed)
    np.testing.assert_array_equal(numbers, landmark_subset(labels, count, seed))
    assert len(np.unique(numbers)) == len(numbers)
    _, chosen = np.unique(labels[numbers], return_counts=True)
    usable = [number for number in counts if number > 1]
    assert not len(numbers) or chosen.min() >= 2
    assert len(chosen) >= min(2, len(usable))
    if sum(usable) <= count:
        assert len(numbers) == sum(usable)
    elif sum(min(4, number) for number in usable) <= count:
        assert len(chosen) == len(usable)
        assert count - len(usable) < len(numbers) <= count
    else:
        assert len(numbers) <= max(count, 8)
