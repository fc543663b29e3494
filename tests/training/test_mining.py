"""The tuples of an epoch."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.training.mining import TupleMiner

LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
VECTORS = np.random.default_rng(0).normal(size=[10, 4]).astype(np.float32)


def embed(records):
    return VECTORS[records] / np.linalg.norm(VECTORS[records], axis=1, keepdims=True)


def miner(workdir, labels=LABELS, **change):
    return TupleMiner(labels, **{"query_size": 100, "pool_size": 100, "negatives": 2, "seed": 0,
                                 "workdir": workdir, **change})


def test_every_tuple_is_as_it_should_be(tmp_path):
    tuples = miner(tmp_path).tuples(0, embed)
    assert sorted(tuples[:, 0]) == list(range(9)), "all pictures that have another of their landmark"
    for query, positive, *negatives in tuples:
        assert positive != query
        assert LABELS[positive] == LABELS[query]
        assert len({LABELS[query], *LABELS[negatives]}) == 3, "one of each landmark, never the query's"
        others = [place for place in range(10) if LABELS[place] != LABELS[query]]
        assert negatives[0] == max(others, key=lambda place: embed(np.array([place]))[0] @ embed(np.array([query]))[0])


def test_queries_and_pool_are_drawn_anew_each_epoch_and_alike_each_time(tmp_path):
    labels = np.arange(300) % 100
    embeddings = np.random.default_rng(1).normal(size=[300, 4]).astype(np.float32)
    small = miner(tmp_path, labels, query_size=10, pool_size=50)
    first, second = (small.tuples(epoch, embeddings.__getitem__) for epoch in (0, 1))
    assert first.shape == second.shape == (10, 4)
    assert len(np.unique(first[:, 0])) == 10
    assert set(first[:, 0]) != set(second[:, 0])
    np.testing.assert_array_equal(small.tuples(0, embeddings.__getitem__), first)


def test_asks_only_for_queries_and_pool(tmp_path):
    asked = []
    labels = np.arange(1000) % 100

    def watched(records):
        asked.append(records)
        return np.random.default_rng(0).normal(size=[len(records), 4])

    miner(tmp_path, labels, query_size=10, pool_size=50).tuples(0, watched)
    assert len(asked) == 1
    assert 50 <= len(asked[0]) <= 60


def test_a_resumed_epoch_reads_what_was_mined_when_it_began(tmp_path):
    mined = miner(tmp_path).tuples(3, embed)
    np.testing.assert_array_equal(miner(tmp_path).tuples(3, None), mined)
    with pytest.raises(UserError, match=r"that was interrupted in .*epoch_004.npy; received none"):
        miner(tmp_path).tuples(4, None)
    with pytest.raises(UserError, match=r"\(9, 3\) of the epoch .* received \(9, 4\)"):
        miner(tmp_path, negatives=1).tuples(3, None)


def test_given_pairs(tmp_path):
    pairs = np.array([[0, 2], [5, 8], [3, 4]])
    tuples = miner(tmp_path, pairs=pairs, query_size=2).tuples(0, embed)
    assert {tuple(pair) for pair in tuples[:, :2]} < {tuple(pair) for pair in pairs}
    assert len(tuples) == 2


@pytest.mark.parametrize(("labels", "said"), [
    (np.arange(5), "more than 2 landmarks, some of them with two pictures or more; received 5 landmarks"),
    (np.array([0, 0, 1]), "received 2 landmarks, the largest with 2 pictures")])
def test_nothing_to_mine(tmp_path, labels, said):
    with pytest.raises(UserError, match=said):
        miner(tmp_path, labels)


def test_a_pool_of_too_few_landmarks(tmp_path):
    with pytest.raises(UserError, match="--pool_size=2 with fewer"):
        miner(tmp_path, pool_size=2).tuples(0, embed)
