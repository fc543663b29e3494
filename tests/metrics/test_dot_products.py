"""Dot products a block at a time, from either type, memory-mapped or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landmark_zoo.metrics.dot_products import BLOCK, dot_products

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
