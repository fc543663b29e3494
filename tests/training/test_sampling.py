import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_csv
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.record_index import read_record_ids
from landmark_zoo.training.objectives import ObjectiveConfig
from landmark_zoo.training.sampling import SamplingConfig, TupleMiner, hardest_negatives, read_record_pairs


@pytest.mark.parametrize(("settings", "said"), [
    ({"sampler": "random"}, "--sampler among shuffled, balanced"),
    ({"augmentation": "wild"}, "--augmentation among .*default"),
    ({"images_per_class": 1}, "--images_per_class >= 2; received 1"), ({"negatives": 0}, "--negatives >= 1"),
    ({"balance_exponent": 1.5}, "--balance_exponent from 0 to 1; received 1.5")])
def test_refused(settings, said):
    with pytest.raises(UserError, match=said):
        SamplingConfig(**settings)


@pytest.mark.parametrize(("sampler", "objective", "batch_size", "said"), [
    ("shuffled", "tuple_triplet", 14, "mined_tuples with an objective on tuples, and only there; received --sampler=shuff"),
    ("mined_tuples", "classification", 14, "received --sampler=mined_tuples with --objective=classification"),
    ("mined_tuples", "contrastive", 14, "received --sampler=mined_tuples with --objective=contrastive"),
    ("balanced", "triplet_hard", 8, "--sampler=classes_by_images for --objective=triplet_hard, which needs batches with"),
    ("classes_by_images", "contrastive", 10, r"of 4 n for .*, n >= 2; received 10 on each .* Give each e.g. 8"),
    ("classes_by_images", "classification", 4, "n >= 2; received 4 on each .* Give each e.g. 8"),
    ("mined_tuples", "tuple_solar", 32, "of 7 n for --sampler=mined_tuples; received 32 on each .* Give each e.g. 35")])
def test_contradictions(sampler, objective, batch_size, said):
    with pytest.raises(UserError, match=said):
        SamplingConfig(sampler).check(ObjectiveConfig(objective), batch_size)


def test_fewer_sampled_classes_than_images():
    with pytest.raises(UserError, match="--sampled_classes >= --batch_size=32; received 8"):
        SamplingConfig().check(ObjectiveConfig(sampled_classes=8), 32)


def test_pairs_that_nobody_mines():
    with pytest.raises(UserError, match="--pairs with --sampler=mined_tuples only; received --sampler=shuffled"):
        SamplingConfig(pairs="pairs.csv").check(ObjectiveConfig(), 8)


@pytest.mark.parametrize(("sampler", "objective", "batch_size"), [
    ("shuffled", "classification", 5), ("aspect_groups", "delg", 5), ("classes_by_images", "classification", 8),
    ("classes_by_images", "contrastive_linear", 8), ("mined_tuples", "tuple_contrastive", 7)])
def test_accepted(sampler, objective, batch_size):
    SamplingConfig(sampler).check(ObjectiveConfig(objective), batch_size)


LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
VECTORS = np.random.default_rng(0).normal(size=[10, 4]).astype(np.float32)


def embed(records):
    return VECTORS[records] / np.linalg.norm(VECTORS[records], axis=1, keepdims=True)


def miner(workdir, labels=LABELS, **change):
    return TupleMiner(labels, **{"query_size": 100, "pool_size": 100, "negatives": 2, "seed": 0,
                                 "workdir": workdir, **change})


def test_every_tuple_is_as_it_should_be(tmp_path):
    tuples = miner(tmp_path).tuples(0, embed)
    assert sorted(tuples[:, 0]) == list(range(9)), "all images that have another of their landmark"
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
    (np.arange(5), "more than 2 landmarks, some of them with two images or more; received 5 landmarks"),
    (np.array([0, 0, 1]), "received 2 landmarks, the largest with 2 images")])
def test_nothing_to_mine(tmp_path, labels, said):
    with pytest.raises(UserError, match=said):
        miner(tmp_path, labels)


def test_a_pool_of_too_few_landmarks(tmp_path):
    with pytest.raises(UserError, match="--pool_size=2 with fewer"):
        miner(tmp_path, pool_size=2).tuples(0, embed)


def loops(queries, query_labels, pool, pool_labels, count):
    found = []
    for query, label in zip(queries, query_labels, strict=True):
        nearest, taken = [], {label}
        for place in np.argsort(-(pool @ query), kind="stable"):
            if pool_labels[place] not in taken and len(nearest) < count:
                taken.add(pool_labels[place])
                nearest.append(place)
        found.append(nearest)
    return np.array(found)


def unit(random, *shape):
    vectors = random.normal(size=shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(5, 9))
def test_as_loops_do(seed, count, landmarks):
    random = np.random.default_rng(seed)
    labels = random.permutation(np.concatenate([np.arange(landmarks), random.integers(0, landmarks, 40)]))
    pool, queries, query_labels = unit(random, len(labels), 3), unit(random, 7, 3), random.integers(0, landmarks, 7)
    np.testing.assert_array_equal(hardest_negatives(queries, query_labels, pool, labels, count),
                                  loops(queries, query_labels, pool, labels, count))


def test_blocks_of_queries_change_nothing():
    random = np.random.default_rng(0)
    data = unit(random, 11, 4), random.integers(0, 6, 11), unit(random, 30, 4), np.arange(30) % 6, 3
    np.testing.assert_array_equal(hardest_negatives(*data, block_size=4), hardest_negatives(*data))


def test_equal_similarities():
    """Twins: the smallest label first, and of one landmark the first in the pool."""
    pool = np.array([[1, 0]] * 5, np.float32)
    assert hardest_negatives(pool[:1], np.array([3]), pool, np.array([9, 7, 7, 3, 9]), 2).tolist() == [[1, 0]]


def test_too_few_landmarks():
    pool = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match="received 3 and 3 landmarks"):
        hardest_negatives(pool[:1], np.array([0]), pool, np.arange(3), 3)


def test_pairs_of_the_records(records, tmp_path):
    manifest = read_manifest(records / "train")
    ids = read_record_ids(manifest)
    write_csv(tmp_path / "pairs.csv", ["query", "positive"], [(ids[5], ids[2]), (ids[0], "lost"), (ids[7], ids[40])])
    np.testing.assert_array_equal(read_record_pairs(manifest, tmp_path / "pairs.csv"), [[5, 2], [7, 40]])


def test_none_of_them(records, tmp_path):
    write_csv(tmp_path / "pairs.csv", ["query", "positive"], [("lost", "gone")])
    with pytest.raises(UserError, match=r"pairs of images of .*train in .*pairs.csv; received none among 1\."):
        read_record_pairs(read_manifest(records / "train"), tmp_path / "pairs.csv")
