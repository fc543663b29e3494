import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landmark_zoo.metrics import exact_ranks as module
from landmark_zoo.metrics.exact_ranks import (
    BLOCK,
    dot_products,
    exact_ranks,
    leave_one_out_ranks,
    ranks_by_counting,
    retrieval_figures,
)
from landmark_zoo.metrics.ranking import positive_ranks, ranks_without_junk

FLOATS = st.floats(-4, 4, width=32)


def sorted_places(scores, rows):
    return np.argsort(np.argsort(-scores, kind="stable"), kind="stable")[rows]


@settings(deadline=None)
@given(st.lists(st.one_of(FLOATS, st.sampled_from([0.0, 0.5, -0.0, 1.0])), min_size=1, max_size=60), st.data())
def test_equal_the_sorted_places_also_with_ties_and_across_blocks(values, data):
    scores = np.array(values, np.float32)
    rows = data.draw(st.lists(st.integers(0, len(scores) - 1), max_size=20))
    block, module._BLOCK = module._BLOCK, data.draw(st.sampled_from([7, 64]))
    try:
        np.testing.assert_array_equal(exact_ranks(scores, rows), sorted_places(scores, rows))
    finally:
        module._BLOCK = block


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("decimals", [3, 16])
def test_a_hundred_thousand_scores(dtype, decimals):
    random = np.random.default_rng(0)
    scores = np.round(0.9 + 0.05 * random.normal(size=100_000), decimals).astype(dtype)
    rows = random.choice(len(scores), 500, replace=False)
    np.testing.assert_array_equal(exact_ranks(scores, rows), sorted_places(scores, rows))


def test_equal_scores_stand_in_the_order_of_the_index():
    assert exact_ranks(np.full(5, 0.25), [4, 0, 2]).tolist() == [4, 0, 2]


def test_far_larger_and_smaller_scores_do_not_disturb():
    scores = np.array([1e30, 0.5, -1e30, np.inf, 0.5000001, -np.inf], np.float32)
    np.testing.assert_array_equal(exact_ranks(scores, [1, 4]), sorted_places(scores, [1, 4]))


@settings(deadline=None)
@given(st.sampled_from([np.float16, np.float32, np.float64]).flatmap(lambda kind: arrays(
    kind, st.integers(1, 40), elements=st.floats(allow_nan=False, width=np.finfo(kind).bits))))
def test_any_numbers_of_any_width_equal_the_sorted_places(scores):
    rows = np.arange(len(scores))
    np.testing.assert_array_equal(exact_ranks(scores, rows), sorted_places(scores, rows))


def test_small_differences_of_float16():
    scores = (np.random.default_rng(0).normal(size=1000) * 1e-3).astype(np.float16)
    np.testing.assert_array_equal(exact_ranks(scores, np.arange(1000)), sorted_places(scores, np.arange(1000)))


@pytest.mark.parametrize("kind", [np.uint8, np.int64, bool])
def test_numbers_that_are_no_floats_are_refused(kind):
    with pytest.raises(ValueError, match="expected float scores"):
        exact_ranks(np.ones(3, kind), [0])


def test_nothing_asked_for():
    assert exact_ranks(np.zeros(3), []).tolist() == []


@pytest.mark.parametrize(("scores", "rows", "said"), [
    ([0.1, np.nan], [0], "received NaN"), ([0.1], [1], "rows from 1 to 1"), ([0.1], [-1], "rows from -1"),
    ([[0.1]], [0], r"shape \(1, 1\)")])
def test_bad_input_is_refused(scores, rows, said):
    with pytest.raises(ValueError, match=said):
        exact_ranks(np.array(scores), rows)


RANDOM = np.random.default_rng(0)


def rows(count, dimension=16, dtype=np.float32):
    return RANDOM.normal(size=[count, dimension]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_shards_of_any_length_are_one_index(dtype, tmp_path):
    shards = [rows(count, dtype=dtype) for count in (3, BLOCK, 0, 2 * BLOCK + 5, 1)]
    np.save(tmp_path / "mapped.npy", shards[3])
    shards[3] = np.load(tmp_path / "mapped.npy", mmap_mode="r")
    queries = rows(4)
    expected = queries.astype(np.float64) @ np.concatenate(shards).astype(np.float64).T
    np.testing.assert_allclose(dot_products(queries, shards), expected, atol=2e-5)


@settings(deadline=None)
@given(arrays(np.uint16, st.tuples(st.integers(1, 40), st.just(2))).filter(lambda bits: ((bits & 0x7c00) != 0x7c00).all()))
def test_every_float16_is_widened_exactly(bits):
    halves = bits.view(np.float16)
    np.testing.assert_array_equal(dot_products(np.eye(2), [halves]), halves.astype(np.float32).T)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 3 * BLOCK - 1), min_size=2, max_size=6, unique=True), st.integers(0, 99))
def test_equal_rows_have_equal_scores_wherever_they_stand(places, seed):
    index = np.random.default_rng(seed).normal(size=[3 * BLOCK - 7, 33]).astype(np.float32)
    places = [place % len(index) for place in places]
    index[places] = index[places[0]]
    scores = dot_products(index[:5], [index[:100], index[100:]])
    assert (scores[:, places] == scores[:, places[:1]]).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_what_is_not_finite_is_found(wrong, dtype):
    shard = rows(BLOCK + 9, dtype=dtype)
    shard[BLOCK + 2, 1] = wrong
    with pytest.raises(ValueError, match=f"shard 1, rows {BLOCK} to {BLOCK + 8}"):
        dot_products(rows(2), [rows(3), shard])


@pytest.mark.parametrize("shard", [np.zeros((2, 3), np.float32), np.zeros((2, 16)), np.zeros(16, np.float32)])
def test_other_shapes_and_types_are_refused(shard):
    with pytest.raises(ValueError, match=r"expected float16 or float32 \[n, 16\]; received"):
        dot_products(rows(2), [shard])


def test_no_index_no_scores():
    assert dot_products(rows(2), []).shape == (2, 0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_hundred_thousand_images_under_easy_medium_and_hard(dtype, tmp_path):
    random = np.random.default_rng(0)
    index = random.normal(size=[100_000, 16]).astype(dtype)
    index[50_000:50_400] = index[:400]  # ties between images far apart
    np.save(tmp_path / "index.npy", index)
    mapped = np.load(tmp_path / "index.npy", mmap_mode="r")
    shards = [mapped[:30_001], mapped[30_001:]]
    queries = random.normal(size=[3, 16]).astype(np.float32)
    easy, hard, junk = np.split(random.permutation(800)[:600], 3)
    found = ranks_by_counting(queries, shards, [np.concatenate([easy, hard, junk])] * 3)
    for scores, places in zip(dot_products(queries, shards), found, strict=True):
        ranking = np.argsort(-scores, kind="stable")
        is_easy, is_hard, is_junk = np.split(places, 3)
        for positives, left_out, images, junk_images in (
                (is_easy, [*is_hard, *is_junk], easy, [*hard, *junk]),
                ([*is_easy, *is_hard], is_junk, [*easy, *hard], junk),
                (is_hard, [*is_easy, *is_junk], hard, [*easy, *junk])):
            np.testing.assert_array_equal(ranks_without_junk(positives, left_out),
                                          positive_ranks(ranking, images, junk_images))


def test_rows_for_every_query():
    with pytest.raises(ValueError, match="rows for 2 queries; received 1"):
        ranks_by_counting(np.eye(2), [np.eye(2, dtype=np.float32)], [[0]])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 5), st.integers(0, 9))
def test_each_against_all_others_by_sorting(labels, at_a_time, seed):
    embeddings = np.random.default_rng(seed).integers(-2, 3, (len(labels), 3)).astype(np.float32)  # many ties
    found = leave_one_out_ranks(embeddings, labels, at_a_time)
    for query, ranks in enumerate(found):
        order = [other for other in np.argsort(-(embeddings @ embeddings[query]), kind="stable") if other != query]
        assert ranks.tolist() == [place for place, other in enumerate(order) if labels[other] == labels[query]]


def test_each_against_all_others_needs_numbers():
    with pytest.raises(ValueError, match="finite"):
        leave_one_out_ranks(np.array([[1.0, np.nan], [0.0, 1.0]], np.float32), [0, 0])


def test_figures_by_hand():
    """At 0, 10, 20 and 60 degrees, the first and third of one landmark, the second and fourth of another, a fifth alone."""
    angles = np.radians([0, 10, 20, 60, 180])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = retrieval_figures(embeddings, np.array([3, 5, 3, 5, 9]))
    nan = float("nan")
    expected = {"retrieval_map": [1 / 2, 1 / 3, 1 / 2, 1 / 3 + 1 / 6, nan], "retrieval_mp5": [1 / 5] * 4 + [nan],
                "retrieval_recall1": [0, 0, 0, 0, nan]}
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, err_msg=name)


def test_a_model_of_numbers_that_are_none_finds_nothing():
    embeddings = np.array([[1, 0], [np.nan, 0], [0, 1]], np.float32)
    for values in retrieval_figures(embeddings, np.array([0, 0, 1])).values():
        np.testing.assert_array_equal(values, [0, 0, np.nan])
