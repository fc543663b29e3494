import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.plans.balanced import balanced_plan

COUNTS = st.lists(st.integers(1, 12), min_size=1, max_size=8)


def labels_of(counts):
    return np.repeat(np.arange(len(counts)), counts)


def turns(counts, plans):
    return np.bincount(np.repeat(np.arange(len(counts)), counts)[np.concatenate(plans).ravel()], minlength=len(counts))


@settings(max_examples=50)
@given(COUNTS, st.integers(1, 5), st.integers(0, 9), st.integers(0, 9), st.sampled_from([0.0, 0.5, 1.0]))
def test_an_epoch_is_as_long_as_a_plain_one_and_shares_are_kept(counts, batch, seed, epoch, exponent):
    labels = labels_of(counts)
    if len(labels) < batch:
        return
    plan = balanced_plan(labels, batch, seed, epoch, exponent)
    assert plan.shape == (len(labels) // batch, batch)
    assert 0 <= plan.min() <= plan.max() < len(labels)
    shares = plan.size * np.array(counts) ** exponent / (np.array(counts) ** exponent).sum()
    assert np.all(np.abs(turns(counts, [plan]) - shares) < 1 + 1e-6)


@settings(max_examples=25)
@given(COUNTS, st.integers(1, 4), st.integers(0, 9), st.sampled_from([0.0, 0.5, 1.0]))
def test_over_the_epochs_every_picture_is_used_in_turn(counts, batch, seed, exponent):
    labels = labels_of(counts)
    if len(labels) < batch:
        return
    plans = [balanced_plan(labels, batch, seed, epoch, exponent) for epoch in range(40)]
    uses = np.bincount(np.concatenate(plans).ravel(), minlength=len(labels))
    assert uses.min() >= 1
    for label in range(len(counts)):
        assert np.ptp(uses[labels == label]) <= 1


def test_a_landmark_with_less_than_a_turn_per_epoch_comes_at_even_intervals():
    plans = [balanced_plan(range(19), 10, 0, epoch) for epoch in range(40)]
    for number in range(19):
        met = [epoch for epoch, plan in enumerate(plans) if (plan == number).any()]
        assert met[0] <= 3
        assert np.diff(met).max() <= 3


def test_uniform_over_landmarks_by_default():
    plans = [balanced_plan(labels_of([2, 50, 8]), 6, 1, epoch) for epoch in range(10)]
    assert np.all(turns([2, 50, 8], plans) == 200)


def test_the_order_is_mixed_and_depends_on_seed_and_epoch_alone():
    labels = labels_of([30, 30, 40])
    first = balanced_plan(labels, 10, 0, 0)
    np.testing.assert_array_equal(first, balanced_plan(labels, 10, 0, 0))
    assert not np.array_equal(first, balanced_plan(labels, 10, 0, 1))
    assert not np.array_equal(first, balanced_plan(labels, 10, 1, 0))
    assert min(len(set(labels[row])) for row in first) >= 2


def test_labels_need_not_be_sorted_or_dense():
    labels = np.array([7, 3, 7, 9, 3, 7, 7, 9])
    used = labels[balanced_plan(labels, 3, 0, 0)]
    assert used.shape == (2, 3)
    assert sorted(np.unique(used, return_counts=True)[1]) == [2, 2, 2]


def test_too_few_pictures_is_one_line():
    with pytest.raises(UserError, match=r"batch of 9 pictures; received 4 pictures"):
        balanced_plan([0, 0, 1, 1], 9, 0, 0)


@pytest.mark.parametrize("options", [{"exponent": 1.5}, {"exponent": -0.1}, {"batch_size": 0}, {"epoch": -1}])
def test_impossible_numbers_are_refused(options):
    with pytest.raises(ValueError, match="received"):
        balanced_plan(**{"labels": [0, 1], "batch_size": 1, "seed": 0, "epoch": 0} | options)
