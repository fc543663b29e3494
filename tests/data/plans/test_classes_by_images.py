import logging

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.plans.classes_by_images import pxk_plan

COUNTS = st.lists(st.integers(1, 9), min_size=1, max_size=10)


def labels_of(counts, shuffle=0):
    return np.random.default_rng(shuffle).permutation(np.repeat(np.arange(len(counts)), counts))


@settings(max_examples=80)
@given(COUNTS, st.integers(1, 5), st.integers(2, 5), st.integers(0, 9), st.integers(0, 20))
def test_exactly_p_landmarks_of_k_pictures(counts, p, k, seed, epoch):
    usable = [label for label, count in enumerate(counts) if count > 1]
    assume(len(usable) >= p)
    labels = labels_of(counts)
    plan = pxk_plan(labels, p, k, seed, epoch)
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
def test_in_one_deal_every_picture_has_its_turn(counts, k, seed, deal):
    assume(max(counts) > 1)
    labels = labels_of(counts)
    for label, count in enumerate(counts):
        if count > 1:
            epochs = -(-count // k)
            used = {int(number) for epoch in range(deal * epochs, (deal + 1) * epochs)
                    for number in pxk_plan(labels, 1, k, seed, epoch).ravel() if labels[number] == label}
            assert used == set(np.flatnonzero(labels == label))


def test_partners_change_from_deal_to_deal():
    labels = np.zeros(8, int)
    partners = {frozenset(row) for epoch in range(40) for row in pxk_plan(labels, 1, 2, 0, epoch)}
    assert len(partners) > 15


def test_depends_on_seed_and_epoch_alone():
    labels = labels_of([5, 6, 7, 8])
    first = pxk_plan(labels, 2, 3, 0, 0)
    np.testing.assert_array_equal(first, pxk_plan(labels, 2, 3, 0, 0))
    assert not np.array_equal(first, pxk_plan(labels, 2, 3, 0, 1))
    assert not np.array_equal(first, pxk_plan(labels, 2, 3, 1, 0))


def test_landmarks_with_one_picture_are_left_out_and_counted(caplog):
    with caplog.at_level(logging.INFO, logger="absl"):
        plan = pxk_plan([0, 0, 1, 2, 2, 3], 2, 2, 0, 0)
    assert set(plan.ravel()) == {0, 1, 3, 4}
    assert "2 of 4 landmarks have one picture and are left out" in caplog.text


def test_too_few_landmarks_is_one_line_with_both_numbers():
    with pytest.raises(UserError, match=r"at least 3 landmarks with two pictures .* received 2 of 4 landmarks"):
        pxk_plan([0, 0, 1, 2, 2, 3], 3, 2, 0, 0)


@pytest.mark.parametrize("options", [{"classes_per_batch": 0}, {"images_per_class": 1}, {"epoch": -1}])
def test_impossible_numbers_are_refused(options):
    with pytest.raises(ValueError, match="received"):
        pxk_plan(**{"labels": [0, 0], "classes_per_batch": 1, "images_per_class": 2, "seed": 0, "epoch": 0} | options)
