from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.feature_cache import FeatureCache, Views, shard_path


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """11 photographs, 3 views, 4 to a file; every map holds 100 x view + number."""
    folder = tmp_path_factory.mktemp("cache")
    for view in range(3):
        for shard, numbers in enumerate(np.split(np.arange(11), [4, 8])):
            path = shard_path(folder, view, shard)
            path.parent.mkdir(exist_ok=True)
            np.save(path, np.tile((100 * view + numbers)[:, None, None, None], [1, 2, 3, 5]).astype(np.float16))
    return FeatureCache(Path(folder), None, Views(32, 3, shard_size=4), "", np.arange(11, dtype=np.int32))


def read(dataset):
    return [(maps.numpy()[:, 0, 0, 0].astype(int), labels.numpy()) for maps, labels in dataset]


def test_an_epoch_has_every_photograph_at_most_once_in_one_of_its_views(cache):
    batches = read(cache.epoch(4, seed=0, epoch=0))
    assert [len(labels) for _, labels in batches] == [4, 4]
    numbers = np.concatenate([labels for _, labels in batches])
    assert len(set(numbers)) == 8
    for values, labels in batches:
        np.testing.assert_array_equal(values % 100, labels)


def test_over_the_epochs_every_photograph_comes_in_every_view(cache):
    values = np.concatenate([values for epoch in range(60) for values, _ in read(cache.epoch(4, seed=0, epoch=epoch))])
    assert set(values) == {100 * view + number for view in range(3) for number in range(11)}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 5))
def test_a_resumed_epoch_is_the_rest_of_the_uninterrupted_one(cache, seed, epoch, skip):
    whole, rest = (read(cache.epoch(2, seed, epoch, skipped)) for skipped in (0, skip))
    for (values, labels), (left, left_labels) in zip(whole[skip:], rest, strict=True):
        np.testing.assert_array_equal(values, left)
        np.testing.assert_array_equal(labels, left_labels)


def test_evaluation_batches_are_view_0_in_order_to_the_last(cache):
    assert [values.tolist() for values, _ in read(cache.evaluation_batches(6))] == [[*range(6)], [*range(6, 11)]]
    assert cache.shape == (2, 3, 5)


def test_fewer_photographs_than_a_batch(cache):
    with pytest.raises(UserError, match="at least one batch of 12 photographs"):
        cache.epoch(12, 0, 0)


@pytest.mark.parametrize("views", [{"count": 0}, {"shard_size": 0}])
def test_views_without_sense(views):
    with pytest.raises(ValueError, match="of 1 or more"):
        Views(**views)


def test_views_of_an_unknown_augmentation():
    with pytest.raises(UserError, match="received 'wild'"):
        Views(augmentation="wild")
