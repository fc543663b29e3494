"""Ranks in a long index equal those of the sorted index, under all protocols at once."""

import numpy as np
import pytest

from landmark_zoo.metrics.dot_products import dot_products
from landmark_zoo.metrics.ranks import positive_ranks
from landmark_zoo.metrics.ranks_by_counting import ranks_by_counting
from landmark_zoo.metrics.ranks_without_junk import ranks_without_junk


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
