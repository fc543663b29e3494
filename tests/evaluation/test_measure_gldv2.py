"""mAP@100 of planted rankings."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.measure_gldv2 import measure_gldv2

INDEX = tuple(f"i{number}" for number in range(150))
POSITIVES = {"q1": frozenset({"i0", "i2", "i120"}), "q2": frozenset({"i1"}), "q3": frozenset(INDEX[:120])}
USAGE = {"q1": "Public", "q2": "Private", "q3": "Public"}
BENCHMARK = Gldv2Benchmark("toy", ("q1", "q2", "q3"), INDEX, POSITIVES, USAGE, 4, "1234")
FALLING = np.tile(np.linspace(0.9, 0.1, len(INDEX)), [3, 1])


def measured_gldv2(benchmark, queries, index, name):
    return measure_gldv2(benchmark, embedded_answers(benchmark, queries, index), name)


def naive(ranking, positives):
    hits, total = 0, 0.0
    for place, image in enumerate(ranking[:100], start=1):
        if image in positives:
            hits += 1
            total += hits / place
    return total / min(len(positives), 100)


def test_planted_ranking(planted):
    results = measured_gldv2(BENCHMARK, *planted(BENCHMARK.query_ids, INDEX, FALLING), name="toy model")
    expected = [(1 + 2 / 3) / 3, 1 / 2, 1.0]
    assert [row["average_precision"] for row in results.per_query] == pytest.approx(expected)
    assert [row["positives"] for row in results.per_query] == [3, 1, 120]
    values = {name: metric["value"] for name, metric in results.metrics.items()}
    assert values["mAP@100"] == pytest.approx(np.mean(expected))
    assert values["mAP@100/Public"] == pytest.approx((expected[0] + expected[2]) / 2)
    assert values["mAP@100/Private"] == pytest.approx(expected[1])
    assert values["P@1"] == pytest.approx(2 / 3)
    assert values["P@10"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert list(results.metrics)[:3] == ["mAP@100", "P@1", "P@10"]
    assert (results.card.queries_used, results.card.queries_ignored, results.card.index_images) == (3, 4, 150)


def test_ranking_rows(planted):
    results = measured_gldv2(BENCHMARK, *planted(BENCHMARK.query_ids, INDEX, FALLING), name="toy model")
    assert len(results.ranking) == 3 * 100
    assert [(row[:3], row[4]) for row in results.ranking[:2]] == [
        (("q1", 1, "i0"), "positive"), (("q1", 2, "i1"), "negative")]
    assert results.ranking[0][3] > results.ranking[1][3]


def test_random_rankings_equal_the_official_loop(planted):
    scores = np.random.default_rng(0).uniform(0, 1, FALLING.shape)
    results = measured_gldv2(BENCHMARK, *planted(BENCHMARK.query_ids, INDEX, scores), name="toy model")
    for row, query_scores in zip(results.per_query, scores, strict=True):
        ranking = [INDEX[place] for place in np.argsort(-query_scores)]
        assert row["average_precision"] == pytest.approx(naive(ranking, POSITIVES[row["query_id"]]))


def test_missing_pictures_are_misses(planted):
    queries, index = planted(BENCHMARK.query_ids, INDEX, FALLING)
    results = measured_gldv2(BENCHMARK, queries.select(["q1", "q3"]), index.select(INDEX[2:]), name="toy model")
    assert [row["average_precision"] for row in results.per_query][:2] == pytest.approx([1 / 3, 0.0])
    assert (results.card.queries_missing, results.card.index_images_missing) == (1, 2)
    assert results.metrics["mAP@100"]["queries"] == 3


def test_order_of_the_embeddings_does_not_matter_not_even_for_ties(planted):
    queries, index = planted(BENCHMARK.query_ids, INDEX, np.full_like(FALLING, 0.5))
    turned = index.select(INDEX[::-1])
    assert measured_gldv2(BENCHMARK, queries, index, "m").per_query == (
        measured_gldv2(BENCHMARK, queries, turned, "m").per_query)


def test_no_usage_no_parts(planted):
    benchmark = Gldv2Benchmark("toy", ("q1",), INDEX, {"q1": POSITIVES["q1"]}, {"q1": ""}, 0, "1234")
    results = measured_gldv2(benchmark, *planted(["q1"], INDEX, FALLING[:1]), name="m")
    assert list(results.metrics) == ["mAP@100", "P@1", "P@10"]


def test_unlike_models_are_refused(planted):
    queries, _ = planted(BENCHMARK.query_ids, INDEX, FALLING)
    _, index = planted(["q1"], INDEX, FALLING[:1])
    with pytest.raises(UserError, match="dimension"):
        measured_gldv2(BENCHMARK, queries, index, "m")
