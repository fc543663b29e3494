import copy
import json
import pickle

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.oxford_paris import CORRUPT
from landmark_zoo.evaluation.oxford_paris import (
    GroundTruthFile,
    OxfordBenchmark,
    OxfordParisBenchmark,
    RevisitedBenchmark,
)
from landmark_zoo.evaluation.protocols import evaluate
from landmark_zoo.evaluation.rankings import rank_embeddings
from landmark_zoo.retrieval.embedding_set import EmbeddingSet


class Toy(OxfordParisBenchmark):
    PROTOCOL, MAIN_GRADE, JUNK_RULE = "toy", "all", "left out"
    LABELS = ("near", "far", "junk")
    GRADES = {"all": (("near", "far"), ("junk",)), "far": (("far",), ("near", "junk"))}  # noqa: RUF012

    @classmethod
    def read(cls, path):
        raise NotImplementedError


def test_split_labelled_and_relevance():
    labels = {"near": frozenset({0}), "far": frozenset({1, 2}), "junk": frozenset({4})}
    toy = Toy("toy", ("q",), tuple("abcde"), ((0, 0, 1, 1),), (labels,), "")
    assert toy.split(0, "all") == ({0, 1, 2}, {4})
    assert toy.split(0, "far") == ({1, 2}, {0, 4})
    assert sorted(toy.labelled_ids("q")) == ["a", "b", "c", "e"]
    assert [toy.relevance("q", image) for image in "abcdex"] == ["near", "far", "far", "negative", "junk", "negative"]


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


@pytest.mark.parametrize("entry", [3, None, [], "easy"])
def test_an_entry_of_another_kind_is_named(tmp_path, entry):
    path = tmp_path / "gnd_toy.json"
    path.write_text(json.dumps({"imlist": ["a"], "qimlist": ["a"], "gnd": [entry]}))
    for benchmark in (OxfordBenchmark, RevisitedBenchmark):
        with pytest.raises(UserError, match="for query a; received none named"):
            benchmark.read(path)


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
    answers = rank_embeddings(benchmark, EmbeddingSet(benchmark.query_ids, queries, "f"),
                               EmbeddingSet(benchmark.index_ids, index, "f"))
    results = evaluate(benchmark, answers, "planted")
    expected = [naive_ap(np.argsort(-row, kind="stable"), labels["positive"], labels["junk"])
                for row, labels in zip(queries @ index.T, benchmark.labels, strict=True)]
    assert results.metrics["mAP"].value == pytest.approx(np.mean(expected), abs=1e-6)
    assert 0.2 < np.mean(expected) < 0.95
    assert (results.card.protocol, results.card.queries_used, results.metrics["mAP"].queries) == ("oxford", 55, 55)


@pytest.mark.photographs
def test_the_authors_text_files_hold_the_same_numbers_of_images(shared_data):
    truth = shared_data / "ground_truth"
    texts = OxfordBenchmark.read_texts(truth / "oxford5k_txt", [f"{number:05d}" for number in range(5063)], "oxford5k")
    rebuilt = OxfordBenchmark.read(truth / "gnd_oxford5k_rebuilt.json")
    assert dict(zip(texts.boxes, map(sizes, texts.labels), strict=True)) == (
        dict(zip(rebuilt.boxes, map(sizes, rebuilt.labels), strict=True)))


def sizes(labels):
    return {label: len(places) for label, places in labels.items()}


@pytest.mark.photographs
def test_no_unreadable_image_is_in_the_revisited_benchmark(shared_data):
    revisited = RevisitedBenchmark.read(shared_data / "ground_truth" / "gnd_rparis6k.json")
    assert len(CORRUPT) == 20
    assert not CORRUPT & {*revisited.query_ids, *revisited.index_ids}
    assert len(revisited.query_ids) + len(revisited.index_ids) == 6412 - 20


TRUTH = {
    "imlist": ["a", "b", "c", "d"], "qimlist": ["q1", "q2"],
    "gnd": [{"bbx": [0, 0, 40.5, 50], "easy": [0], "hard": [1], "junk": [2]},
            {"bbx": [1, 2, 3, 4], "easy": [], "hard": [3, 0], "junk": []}],
}


def written_revisited(tmp_path, truth):
    path = tmp_path / "gnd_toy.json"
    path.write_text(json.dumps(truth))
    return path


def test_json_and_pickle_are_the_same_benchmark(tmp_path):
    from_json = RevisitedBenchmark.read(written_revisited(tmp_path, TRUTH))
    (tmp_path / "gnd_toy.pkl").write_bytes(pickle.dumps(TRUTH, 3))
    from_pickle = RevisitedBenchmark.read(tmp_path / "gnd_toy.pkl")
    assert (from_json.name, from_json.query_ids, from_json.boxes[0]) == ("toy", ("q1", "q2"), (0, 0, 40.5, 50))
    assert (from_json.index_ids, from_json.labels) == (from_pickle.index_ids, from_pickle.labels)
    assert from_json.ground_truth_sha256 != from_pickle.ground_truth_sha256


@pytest.mark.parametrize(("difficulty", "positives", "junk"), [
    ("Easy", {0}, {1, 2}), ("Medium", {0, 1}, {2}), ("Hard", {1}, {0, 2}),
])
def test_each_difficulty_has_its_positives_and_junk(tmp_path, difficulty, positives, junk):
    assert RevisitedBenchmark.read(written_revisited(tmp_path, TRUTH)).split(0, difficulty) == (positives, junk)


def test_relevance_of_an_image(tmp_path):
    benchmark = RevisitedBenchmark.read(written_revisited(tmp_path, TRUTH))
    assert [benchmark.relevance("q1", image) for image in "abcd"] == ["easy", "hard", "junk", "negative"]
    assert benchmark.relevance("q1", "a distractor") == "negative"
    assert sorted(benchmark.labelled_ids("q1")) == ["a", "b", "c"]


def _without(key):
    return lambda truth: truth["gnd"][1].pop(key)


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda truth: truth.pop("imlist"), "imlist, qimlist and gnd"),
    (lambda truth: truth["gnd"].pop(), "2 entries in gnd"),
    (lambda truth: truth["imlist"].append("a"), "each image's name once"),
    (lambda truth: truth["gnd"][1]["hard"].append(4), "places from 0 to 3 for query q2; received 4"),
    (lambda truth: truth["gnd"][1]["hard"].append("0"), "for query q2; received '0'"),
    (lambda truth: truth["gnd"][0]["hard"].append(0), "each image once for query q1"),
    (lambda truth: truth["gnd"][0].update(bbx=[5, 0, 5, 9]), "x1 < x2 .* for q1"),
    (lambda truth: truth["gnd"][0].update(bbx=3), "for q1"),
    (lambda truth: truth["gnd"][0].update(easy=3), "query q1"),
    (_without("bbx"), "none named bbx"),
    (_without("easy"), "none named easy"),
])
def test_revisited_faults_name_the_query(tmp_path, spoil, message):
    truth = copy.deepcopy(TRUTH)
    spoil(truth)
    with pytest.raises(UserError, match=message):
        RevisitedBenchmark.read(written_revisited(tmp_path, truth))


@pytest.mark.photographs
@pytest.mark.parametrize(("name", "images", "easy_queries"), [("roxford5k", 4993, 68), ("rparis6k", 6322, 70)])
def test_facts_of_the_real_benchmarks(shared_data, name, images, easy_queries):
    benchmark = RevisitedBenchmark.read(shared_data / "ground_truth" / f"gnd_{name}.pkl")
    assert (benchmark.name, len(benchmark.index_ids), len(benchmark.query_ids)) == (name, images, 70)
    assert sum(bool(benchmark.split(query, "Easy")[0]) for query in range(70)) == easy_queries
    assert not set(benchmark.query_ids) & set(benchmark.index_ids)
    assert len(benchmark.boxes) == 70


@pytest.fixture
def truth(tmp_path):
    (tmp_path / "gnd_toy.json").write_text(json.dumps({
        "imlist": ["a", "b"], "qimlist": ["q"], "gnd": [{"bbx": [0, 0, 5, 5], "ok": [1], "junk": [0]}]}))
    return GroundTruthFile.read(tmp_path / "gnd_toy.json")


def test_lists_and_boxes(truth):
    assert (truth.name, truth.query_ids, truth.index_ids) == ("toy", ("q",), ("a", "b"))
    assert (truth.boxes(), truth.places(0, "ok")) == (((0, 0, 5, 5),), [1])


def test_what_is_missing_is_named(truth):
    with pytest.raises(UserError, match=r"query q; received none named easy\. .* --protocol"):
        truth.places(0, "easy")


def test_a_file_that_is_no_ground_truth(tmp_path):
    (tmp_path / "gnd_toy.json").write_text("[1]")
    with pytest.raises(UserError, match="imlist, qimlist and gnd"):
        GroundTruthFile.read(tmp_path / "gnd_toy.json")


@pytest.mark.parametrize("name", ["../a", "/a", "a\0"])
def test_names_that_lead_out_of_the_folder(tmp_path, name):
    (tmp_path / "gnd_toy.json").write_text(json.dumps({"imlist": ["a", name], "qimlist": ["a"], "gnd": [{}]}))
    with pytest.raises(UserError, match="lie below its folder"):
        GroundTruthFile.read(tmp_path / "gnd_toy.json")


INDEX = ("i0", "i1", "i2", "i3", "i4")
TOY = RevisitedBenchmark(
    "toy", ("q1", "q2"), INDEX, ((0, 0, 9, 9),) * 2,
    ({"easy": frozenset({0, 2}), "hard": frozenset(), "junk": frozenset({3})},
     {"easy": frozenset(), "hard": frozenset({4}), "junk": frozenset()}), "1234")
SCORES = np.array([[0.8, 0.4, 0.3, 0.9, 0.5],    # ranking 3, 0, 4, 1, 2
                   [0.5, 0.4, 0.3, 0.2, 0.1]])


def measured_graded(benchmark, queries, index, name):
    return benchmark.evaluate(rank_embeddings(benchmark, queries, index), name)


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
    values = {name: metric.value for name, metric in results.metrics.items()}
    assert values["mAP/Easy"] == pytest.approx(0.708333, abs=1e-6)
    assert values["mP@1/Easy"] == 1.0
    assert values["mP@5/Easy"] == 0.5
    assert results.metrics["mAP/Easy"].queries == 1
    assert values["mAP/Hard"] == pytest.approx((0 / 4 + 1 / 5) / 2)
    assert values["mAP/Medium"] == pytest.approx((0.708333 + 0.1) / 2, abs=1e-6)
    assert (results.card.queries_used, results.card.queries_ignored) == (2, 0)


def test_rows(planted):
    results = measured_graded(TOY, *planted(TOY.query_ids, INDEX, SCORES), name="m")
    assert [(image.rank, image.index_id, image.relevance) for image in results.ranking["q1"]] == [
        (1, "i3", "junk"), (2, "i0", "easy"), (3, "i4", "negative"), (4, "i1", "negative"), (5, "i2", "easy")]
    assert results.ranking["q2"][4] == ("i4", 5, pytest.approx(0.1, rel=0.5), "hard")
    assert [row["positives"] for row in results.per_query] == [2, 1]
    assert results.per_query[0]["average_precision"] == pytest.approx(0.708333, abs=1e-6)
    assert np.isnan(results.per_query[1]["average_precision/Easy"])


def test_missing_images_are_misses(planted):
    queries, index = planted(TOY.query_ids, INDEX, SCORES)
    results = measured_graded(TOY, queries.select(["q1"]), index.select(["i0", "i3"]), name="m")
    assert results.metrics["mAP/Easy"].value == 0.5
    assert results.metrics["mAP/Hard"].value == 0.0
    assert (results.card.queries_missing, results.card.index_images_missing) == (1, 3)


@pytest.mark.parametrize(("provenance", "crop"), [
    ({"cropped": 70}, "queries cut to their boxes"), ({"cropped": 0}, "none, whole queries"), ({}, "not stated")])
def test_the_card_says_whether_queries_were_cut(planted, provenance, crop):
    results = measured_graded(TOY, *planted(TOY.query_ids, INDEX, SCORES, **provenance), name="m")
    assert results.card.crop.startswith(crop)


@pytest.mark.photographs
@pytest.mark.parametrize(("name", "expected_images"), [("roxford5k", 4993), ("rparis6k", 6322)])
def test_measure_graded_the_real_ground_truth_equals_a_naive_loop(shared_data, name, expected_images):
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
        assert summary.queries == len(counted)
        assert summary.value == pytest.approx(np.mean(counted), abs=1e-6), metric
    assert 0.1 < results.metrics["mAP/Medium"].value < 0.9
    assert len(results.metrics) == 12
