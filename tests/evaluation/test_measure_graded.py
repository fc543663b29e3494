"""Easy, Medium and Hard of planted rankings, on a toy and on the real ground truth."""

import numpy as np
import pytest

from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.measure_graded import measure_graded
from landmark_zoo.evaluation.revisited import RevisitedBenchmark
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

INDEX = ("i0", "i1", "i2", "i3", "i4")
TOY = RevisitedBenchmark(
    "toy", ("q1", "q2"), INDEX, ((0, 0, 9, 9),) * 2,
    ({"easy": frozenset({0, 2}), "hard": frozenset(), "junk": frozenset({3})},
     {"easy": frozenset(), "hard": frozenset({4}), "junk": frozenset()}), "1234")
SCORES = np.array([[0.8, 0.4, 0.3, 0.9, 0.5],    # ranking 3, 0, 4, 1, 2
                   [0.5, 0.4, 0.3, 0.2, 0.1]])


def measured_graded(benchmark, queries, index, name):
    return measure_graded(benchmark, embedded_answers(benchmark, queries, index), name)


def naive_figures(entry, ranking):
    """Radenovic et al., revisitop `compute_map`, one image after another."""
    easy, hard, junk = (entry[label] for label in ("easy", "hard", "junk"))
    rules = {"Easy": (easy, junk | hard), "Medium": (easy | hard, junk), "Hard": (hard, junk | easy)}
    figures = {}
    for name, (positives, junk) in rules.items():
        place = hits = 0
        area, positions = 0.0, []
        for image in ranking:
            if image in junk:
                continue
            if image in positives:
                before = hits / place if place else 1.0
                hits += 1
                positions.append(place + 1)
                area += (before + hits / (place + 1)) / 2 / len(positives)
            place += 1
        if positives:
            figures[f"mAP/{name}"] = area
            for k in (1, 5, 10):
                kq = min(max(positions), k)
                figures[f"mP@{k}/{name}"] = sum(position <= kq for position in positions) / kq
    return figures


def test_published_vector_with_junk_and_a_query_without_positives(planted):
    results = measured_graded(TOY, *planted(TOY.query_ids, INDEX, SCORES), name="m")
    values = {name: metric["value"] for name, metric in results.metrics.items()}
    assert values["mAP/Easy"] == pytest.approx(0.708333, abs=1e-6)
    assert values["mP@1/Easy"] == 1.0
    assert values["mP@5/Easy"] == 0.5
    assert results.metrics["mAP/Easy"]["queries"] == 1
    assert values["mAP/Hard"] == pytest.approx((0 / 4 + 1 / 5) / 2)
    assert values["mAP/Medium"] == pytest.approx((0.708333 + 0.1) / 2, abs=1e-6)
    assert (results.card.queries_used, results.card.queries_ignored) == (2, 0)


def test_rows(planted):
    results = measured_graded(TOY, *planted(TOY.query_ids, INDEX, SCORES), name="m")
    assert [(row[1], row[2], row[4]) for row in results.ranking[:5]] == [
        (1, "i3", "junk"), (2, "i0", "easy"), (3, "i4", "negative"), (4, "i1", "negative"), (5, "i2", "easy")]
    assert results.ranking[9][2:] == ("i4", pytest.approx(0.1, rel=0.5), "hard")
    assert [row["positives"] for row in results.per_query] == [2, 1]
    assert results.per_query[0]["average_precision"] == pytest.approx(0.708333, abs=1e-6)
    assert np.isnan(results.per_query[1]["average_precision/Easy"])


def test_missing_pictures_are_misses(planted):
    queries, index = planted(TOY.query_ids, INDEX, SCORES)
    results = measured_graded(TOY, queries.select(["q1"]), index.select(["i0", "i3"]), name="m")
    assert results.metrics["mAP/Easy"]["value"] == 0.5
    assert results.metrics["mAP/Hard"]["value"] == 0.0
    assert (results.card.queries_missing, results.card.index_images_missing) == (1, 3)


@pytest.mark.parametrize(("provenance", "crop"), [
    ({"cropped": 70}, "queries cut to their boxes"), ({"cropped": 0}, "none, whole queries"), ({}, "not stated")])
def test_the_card_says_whether_queries_were_cut(planted, provenance, crop):
    results = measured_graded(TOY, *planted(TOY.query_ids, INDEX, SCORES, **provenance), name="m")
    assert results.card.crop.startswith(crop)


@pytest.mark.photographs
@pytest.mark.parametrize(("name", "expected_images"), [("roxford5k", 4993), ("rparis6k", 6322)])
def test_the_real_ground_truth_equals_a_naive_loop(shared_data, name, expected_images):
    benchmark = RevisitedBenchmark.read(shared_data / "ground_truth" / f"gnd_{name}.pkl")
    generator = np.random.default_rng(0)
    index = generator.normal(size=[expected_images, 32])
    queries = generator.normal(size=[70, 32])
    for query, labels in enumerate(benchmark.labels):  # positives drawn near their query, as a fair model would
        near = sorted(labels["easy"] | labels["hard"])
        index[near] += generator.uniform(0, 1.5, [len(near), 1]) * queries[query]
    sets = [EmbeddingSet(list(ids), (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), "f")
            for ids, rows in ((benchmark.query_ids, queries), (benchmark.index_ids, index))]
    results = measured_graded(benchmark, *sets, name="planted")

    scores = sets[0].vectors @ sets[1].vectors.T
    figures = [naive_figures(labels, np.argsort(-row, kind="stable"))
               for labels, row in zip(benchmark.labels, scores, strict=True)]
    for metric, summary in results.metrics.items():
        counted = [row[metric] for row in figures if metric in row]
        assert summary["queries"] == len(counted)
        assert summary["value"] == pytest.approx(np.mean(counted), abs=1e-6), metric
    assert 0.1 < results.metrics["mAP/Medium"]["value"] < 0.9
    assert len(results.metrics) == 12
