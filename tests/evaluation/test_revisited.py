"""Benchmarks in the format of Revisited Oxford and Paris."""

import copy
import json
import pickle

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.revisited import RevisitedBenchmark

TRUTH = {
    "imlist": ["a", "b", "c", "d"], "qimlist": ["q1", "q2"],
    "gnd": [{"bbx": [0, 0, 40.5, 50], "easy": [0], "hard": [1], "junk": [2]},
            {"bbx": [1, 2, 3, 4], "easy": [], "hard": [3, 0], "junk": []}],
}


def written(tmp_path, truth):
    path = tmp_path / "gnd_toy.json"
    path.write_text(json.dumps(truth))
    return path


def test_json_and_pickle_are_the_same_benchmark(tmp_path):
    from_json = RevisitedBenchmark.read(written(tmp_path, TRUTH))
    (tmp_path / "gnd_toy.pkl").write_bytes(pickle.dumps(TRUTH, 3))
    from_pickle = RevisitedBenchmark.read(tmp_path / "gnd_toy.pkl")
    assert (from_json.name, from_json.query_ids, from_json.boxes[0]) == ("toy", ("q1", "q2"), (0, 0, 40.5, 50))
    assert (from_json.index_ids, from_json.labels) == (from_pickle.index_ids, from_pickle.labels)
    assert from_json.ground_truth_sha256 != from_pickle.ground_truth_sha256


@pytest.mark.parametrize(("difficulty", "positives", "junk"), [
    ("Easy", {0}, {1, 2}), ("Medium", {0, 1}, {2}), ("Hard", {1}, {0, 2}),
])
def test_each_difficulty_has_its_positives_and_junk(tmp_path, difficulty, positives, junk):
    assert RevisitedBenchmark.read(written(tmp_path, TRUTH)).split(0, difficulty) == (positives, junk)


def test_relevance_of_an_image(tmp_path):
    benchmark = RevisitedBenchmark.read(written(tmp_path, TRUTH))
    assert [benchmark.relevance("q1", image) for image in "abcd"] == ["easy", "hard", "junk", "negative"]
    assert benchmark.relevance("q1", "a distractor") == "negative"
    assert sorted(benchmark.labelled_ids("q1")) == ["a", "b", "c"]


def _without(key):
    return lambda truth: truth["gnd"][1].pop(key)


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda truth: truth.pop("imlist"), "imlist, qimlist and gnd"),
    (lambda truth: truth["gnd"].pop(), "2 entries in gnd"),
    (lambda truth: truth["imlist"].append("a"), "each picture's name once"),
    (lambda truth: truth["gnd"][1]["hard"].append(4), "places from 0 to 3 for query q2; received 4"),
    (lambda truth: truth["gnd"][1]["hard"].append("0"), "for query q2; received '0'"),
    (lambda truth: truth["gnd"][0]["hard"].append(0), "each image once for query q1"),
    (lambda truth: truth["gnd"][0].update(bbx=[5, 0, 5, 9]), "x1 < x2 .* for q1"),
    (lambda truth: truth["gnd"][0].update(bbx=3), "for q1"),
    (lambda truth: truth["gnd"][0].update(easy=3), "query q1"),
    (_without("bbx"), "none named bbx"),
    (_without("easy"), "none named easy"),
])
def test_faults_name_the_query(tmp_path, spoil, message):
    truth = copy.deepcopy(TRUTH)
    spoil(truth)
    with pytest.raises(UserError, match=message):
        RevisitedBenchmark.read(written(tmp_path, truth))


@pytest.mark.photographs
@pytest.mark.parametrize(("name", "images", "easy_queries"), [("roxford5k", 4993, 68), ("rparis6k", 6322, 70)])
def test_facts_of_the_real_benchmarks(shared_data, name, images, easy_queries):
    benchmark = RevisitedBenchmark.read(shared_data / "ground_truth" / f"gnd_{name}.pkl")
    assert (benchmark.name, len(benchmark.index_ids), len(benchmark.query_ids)) == (name, images, 70)
    assert sum(bool(benchmark.split(query, "Easy")[0]) for query in range(70)) == easy_queries
    assert not set(benchmark.query_ids) & set(benchmark.index_ids)
    assert len(benchmark.boxes) == 70
