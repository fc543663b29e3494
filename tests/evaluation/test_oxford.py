"""The first benchmarks of Oxford and Paris."""

import json

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.sources.paris6k import CORRUPT
from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.measure import measure
from landmark_zoo.evaluation.oxford import OxfordBenchmark
from landmark_zoo.evaluation.revisited import RevisitedBenchmark
from landmark_zoo.retrieval.embedding_set import EmbeddingSet

ENTRY = {"bbx": [0, 0, 9, 9], "good": [0], "ok": [0, 2], "junk": [3]}


def written(tmp_path, **changed):
    entry = {key: value for key, value in {**ENTRY, **changed}.items() if value is not None}
    (tmp_path / "gnd_toy.json").write_text(json.dumps({"imlist": list("abcde"), "qimlist": ["a"], "gnd": [entry]}))
    return tmp_path / "gnd_toy.json"


@pytest.mark.parametrize("changed", [{}, {"good": None}, {"good": None, "ok": None, "easy": [0, 2], "hard": []}])
def test_good_and_ok_are_positives_however_they_are_written(tmp_path, changed):
    benchmark = OxfordBenchmark.read(written(tmp_path, **changed))
    assert benchmark.split(0, "") == ({0, 2}, {3})
    assert [benchmark.relevance("a", image) for image in "abcd"] == ["positive", "negative", "positive", "junk"]


@pytest.mark.parametrize(("changed", "message"), [
    ({"ok": [0, 5]}, "places from 0 to 4 for query a; received 5"), ({"junk": [2]}, "each image once for query a"),
    ({"ok": None}, "none named ok"), ({"junk": None}, "none named junk"), ({"bbx": [3, 0, 3, 9]}, "x1 < x2")])
def test_faults_name_the_query(tmp_path, changed, message):
    with pytest.raises(UserError, match=message):
        OxfordBenchmark.read(written(tmp_path, **changed))


def naive_ap(ranking, positives, junk):
    """VGG's compute_ap, one picture after another."""
    hits, area, old_recall, old_precision, place = 0, 0.0, 0.0, 1.0, 0
    for image in ranking:
        if image in junk:
            continue
        hits += image in positives
        recall, precision = hits / len(positives), hits / (place + 1)
        area += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision, place = recall, precision, place + 1
    return area


@pytest.mark.photographs
def test_the_real_ground_truth_equals_a_naive_loop(shared_data):
    benchmark = OxfordBenchmark.read(shared_data / "ground_truth" / "gnd_oxford5k_rebuilt.json")
    assert (len(benchmark.query_ids), len(benchmark.index_ids)) == (55, 5063)
    assert all(benchmark.relevance(query, query) == "positive" for query in benchmark.query_ids)
    random = np.random.default_rng(0)
    index = random.normal(size=[5063, 32])
    queries = index[[benchmark.index_ids.index(query) for query in benchmark.query_ids]]
    for query, labels in zip(queries, benchmark.labels, strict=True):
        near = sorted(labels["positive"])
        index[near] += random.uniform(0, 0.7, [len(near), 1]) * query
    queries, index = ((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32) for rows in (queries, index))
    answers = embedded_answers(benchmark, EmbeddingSet(benchmark.query_ids, queries, "f"),
                               EmbeddingSet(benchmark.index_ids, index, "f"))
    results = measure(benchmark, answers, "planted")
    expected = [naive_ap(np.argsort(-row, kind="stable"), labels["positive"], labels["junk"])
                for row, labels in zip(queries @ index.T, benchmark.labels, strict=True)]
    assert results.metrics["mAP"]["value"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert 0.2 < np.mean(expected) < 0.95
    assert (results.card.protocol, results.card.queries_used, results.metrics["mAP"]["queries"]) == ("oxford", 55, 55)


@pytest.mark.photographs
def test_the_authors_text_files_hold_the_same_numbers_of_pictures(shared_data):
    truth = shared_data / "ground_truth"
    texts = OxfordBenchmark.read_texts(truth / "oxford5k_txt", [f"{number:05d}" for number in range(5063)], "oxford5k")
    rebuilt = OxfordBenchmark.read(truth / "gnd_oxford5k_rebuilt.json")
    assert dict(zip(texts.boxes, map(sizes, texts.labels), strict=True)) == (
        dict(zip(rebuilt.boxes, map(sizes, rebuilt.labels), strict=True)))


def sizes(labels):
    return {label: len(places) for label, places in labels.items()}


@pytest.mark.photographs
def test_no_unreadable_picture_is_in_the_revisited_benchmark(shared_data):
    revisited = RevisitedBenchmark.read(shared_data / "ground_truth" / "gnd_rparis6k.json")
    assert len(CORRUPT) == 20
    assert not CORRUPT & {*revisited.query_ids, *revisited.index_ids}
    assert len(revisited.query_ids) + len(revisited.index_ids) == 6412 - 20
