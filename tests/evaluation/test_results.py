import csv
import dataclasses
import json
import math

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.protocol_card import ProtocolCard, card_facts
from landmark_zoo.evaluation.rankings import Ranking, Rankings
from landmark_zoo.evaluation.results import (
    Measure,
    RankedImage,
    Results,
    by_benchmark,
    closing_table,
    make_results,
    metric_summaries,
    scores_for_card,
)

FACTS = {field.name: field.name for field in dataclasses.fields(ProtocolCard)}
CARD = ProtocolCard(**FACTS | {"queries_used": 2, "queries_ignored": 1, "versions": {"numpy": "1"}, "scales": [1.0]})
METRICS = {"mAP@100": Measure(0.5, 0.4, 0.6, 2)}
METRICS_JSON = {"mAP@100": {"value": 0.5, "low": 0.4, "high": 0.6, "queries": 2}}
RESULTS = Results("tiny", CARD, METRICS,
                  [{"query_id": "q1", "average_precision": 0.25, "positives": 3},
                   {"query_id": "q2", "average_precision": math.nan, "positives": 0}],
                  {"q1": [RankedImage("a", 1, 0.98765432, "positive"), RankedImage("b,ü", 2, 0.5, "negative")]})


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_four_files(tmp_path):
    RESULTS.write(tmp_path / "out", {"seed": 0})
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert {key: metrics[key] for key in ("name", "benchmark", "protocol", "queries_used", "queries_ignored")} == {
        "name": "tiny", "benchmark": "benchmark", "protocol": "protocol", "queries_used": 2, "queries_ignored": 1}
    assert metrics["metrics"] == METRICS_JSON
    assert ProtocolCard.from_dict(metrics["card"]) == CARD
    assert rows(tmp_path / "out/per_query.csv") == [
        ["query_id", "average_precision", "positives"], ["q1", "0.250000", "3"], ["q2", "", "0"]]
    assert rows(tmp_path / "out/ranking.csv") == [
        ["query_id", "rank", "index_id", "score", "relevance"], ["q1", "1", "a", "0.987654", "positive"],
        ["q1", "2", "b,ü", "0.500000", "negative"]]
    assert json.loads((tmp_path / "out/flags.json").read_text()) == {"seed": 0}


def test_the_same_measurement_may_be_repeated(tmp_path):
    RESULTS.write(tmp_path, {})
    dataclasses.replace(RESULTS, name="again").write(tmp_path, {})
    assert json.loads((tmp_path / "metrics.json").read_text())["name"] == "again"


def test_other_results_are_not_overwritten(tmp_path):
    RESULTS.write(tmp_path, {})
    other = dataclasses.replace(RESULTS, card=dataclasses.replace(CARD, model_fingerprint="other"))
    with pytest.raises(UserError, match="another model_fingerprint"):
        other.write(tmp_path, {})


def test_the_table_is_in_per_cent():
    head, metric, counts = RESULTS.table().splitlines()
    assert (head, metric) == ("tiny on benchmark (protocol), per cent", "mAP@100   50.00  [ 40.00,  60.00]      2 queries")
    assert counts == ("queries: 2 used, 1 ignored, queries_missing without an answer; index images: index_images, "
                      "index_images_missing missing; distractors: distractors")


def test_queries_that_do_not_count_are_left_out_of_the_mean():
    summary = metric_summaries({"mAP/Easy": [math.nan, 0.2, 0.4]}, seed=0)["mAP/Easy"]
    assert summary.value == pytest.approx(0.3)
    assert summary.queries == 2
    assert 0.2 <= summary.low <= 0.3 <= summary.high <= 0.4


def test_metric_without_queries_is_left_out():
    assert list(metric_summaries({"a": [math.nan], "b": [1.0], "c": []}, seed=0)) == ["b"]


def test_the_seed_decides_the_interval():
    values = {"m": [0.1, 0.5, 0.9, 0.3, 0.77]}
    assert metric_summaries(values, seed=1) == metric_summaries(values, seed=1)


BENCHMARK = Gldv2Benchmark("toy", ("q1", "q2"), ("i0", "i1"), {"q1": frozenset({"i0"}), "q2": frozenset({"i1"})},
                           {"q1": "", "q2": ""}, 1, "1234")
FACTS_OF_RANKINGS = {**card_facts(None, None, "f"), "reranking": "none", "distractors": "none", "index_images": 2,
                     "index_images_missing": 0}


def results(depth, longest):
    rankings = Rankings({"q1": Ranking.of_ranking(["i1", "i0"], {"i0"})}, FACTS_OF_RANKINGS, longest)
    return make_results(BENCHMARK, rankings, "m", 0, values={"mAP": [0.5, float("nan")]}, per_query=[], depth=depth,
                        queries_used=2)


def test_no_query_that_counts_is_one_line():
    with pytest.raises(UserError, match="a query of toy with positives; received none of 2"):
        make_results(BENCHMARK, None, "m", 0, values={"mAP": []}, per_query=[], queries_used=0)


@pytest.mark.parametrize(("depth", "longest", "said"), [
    (None, None, "the whole index"), (100, None, "100 places at most"), (None, 50, "50 places at most"),
    (100, 50, "50 places at most"), (50, 100, "50 places at most")])
def test_the_card_says_how_deep_rankings_were_looked_at(depth, longest, said):
    assert results(depth, longest).card.depth == said


def test_rankings_missing_queries_and_metrics():
    found = results(None, None)
    assert [(image.rank, image.index_id, image.relevance) for image in found.ranking["q1"]] == [
        (1, "i1", "negative"), (2, "i0", "positive")]
    assert found.ranking["q2"] == []
    assert found.card.queries_missing == 1
    assert (found.metrics["mAP"].value, found.metrics["mAP"].queries) == (0.5, 1)


def test_the_protocol_decides_over_what_the_embeddings_say():
    assert FACTS_OF_RANKINGS["crop"] == "not stated"
    assert results(None, None).card.crop == "none, the benchmark has no boxes"


SCORE_CARD = ProtocolCard(**FACTS | {"queries_used": 2, "queries_ignored": 1, "versions": {}, "scales": [0.7071, 1.0],
                                     "side": 64})
INFO = {"side": 64, "scales": [0.7071, 1.0], "aggregation": "aggregation", "whitening": "whitening",
        "training_data": "training_data", "dimension": 6}


@pytest.fixture
def folder(tmp_path):
    row = {"query_id": "q1", "average_precision": 0.25, "positives": 3}
    Results("tiny", SCORE_CARD, METRICS, [row], {}).write(tmp_path / "out", {})
    return tmp_path / "out"


def test_metrics_with_their_card(folder):
    score = scores_for_card(folder, INFO)
    assert (score["benchmark"], score["metrics"]) == ("benchmark", METRICS_JSON)
    assert score["card"]["model_fingerprint"] == "model_fingerprint"


@pytest.mark.parametrize(("key", "value"), [("side", 96), ("scales", [1.0]), ("whitening", "none")])
def test_results_of_other_settings(folder, key, value):
    with pytest.raises(UserError, match=f"results of a model with {key}"):
        scores_for_card(folder, {**INFO, key: value})


def test_no_results(tmp_path):
    with pytest.raises(UserError, match="a JSON file at"):
        scores_for_card(tmp_path, INFO)
    write_json(tmp_path / "metrics.json", {"name": "x"})
    with pytest.raises(UserError, match=r"results of experiments\.evaluate"):
        scores_for_card(tmp_path, INFO)


def test_per_cent_with_the_interval(tmp_path):
    value = {"value": 0.3272, "low": 0.2753, "high": 0.379}
    write_json(tmp_path / "metrics.json", {"name": "trained", "metrics": {"mAP@100": value, "P@1": value, "P@10": value}})
    lines = closing_table([tmp_path]).splitlines()
    assert lines[0].split() == ["mAP@100", "95", "%", "interval", "P@1", "P@10"]
    assert lines[1].split() == ["trained", "32.7", "[27.5,", "37.9]", "32.7", "32.7"]


def test_precision_of_an_earlier_version_gets_its_name(result_folder):
    folder = result_folder()
    facts = read_json(folder / "metrics.json")
    facts["card"]["precision"] = "hits in k places, divided by min(k, positives)"
    facts["metrics"]["P@10/Public"] = facts["metrics"]["P@10"]
    write_json(folder / "metrics.json", facts)
    assert list(Results.read(folder).metrics) == ["mAP@100", "P@1", "cP@10", "mAP@100/Private", "cP@10/Public"]
    assert closing_table([folder]).splitlines()[1].split()[-2:] == ["62.5", "–"]


def test_reads_what_an_evaluation_writes(result_folder):
    result = Results.read(result_folder("trained", score=0.5))
    assert (result.name, result.card.benchmark, result.card.protocol) == ("trained", "toy", "gldv2_retrieval")
    assert (result.card.queries_used, result.card.queries_ignored) == (3, 1)
    assert result.metrics["P@1"] == Measure(0.625, 0.525, 0.725, 3)
    assert result.card.side == 224
    assert result.average_precision == {"q0": 0.375, "q1": 0.5, "q2": 0.625}, "the query without a value is left out"
    assert result.positives["none"] == 0


def test_the_first_ten_images_in_order(result_folder):
    folder = result_folder()
    lines = (folder / "ranking.csv").read_text().splitlines()
    (folder / "ranking.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    images = Results.read(folder).first_images("q0")
    assert [image.rank for image in images] == list(range(1, 11))
    assert images[1] == RankedImage("i2", 2, 0.5, "negative")


@pytest.mark.parametrize(("names", "main", "first"), [
    (["mAP@100", "P@1", "mAP@100/Private"], "mAP@100", "P@1"),
    (["mAP/Easy", "mP@1/Easy", "mAP/Medium", "mP@1/Medium"], "mAP/Medium", "mP@1/Medium"),
    (["recall"], "recall", None),
])
def test_main_metric_belongs_to_the_average_precision_of_the_queries(make_result, names, main, first):
    result = make_result(metrics={name: Measure(0.5, None, None) for name in names})
    assert result.main_metric == main
    assert (result.first_right is None) == (first is None)


def test_comparable_on_one_benchmark_by_one_protocol(make_result):
    assert make_result("a").comparable(make_result("b"))
    assert not make_result("a").comparable(make_result("b", benchmark="other"))


@pytest.mark.parametrize("missing", ["metrics.json", "per_query.csv", "ranking.csv"])
def test_missing_file(result_folder, missing):
    folder = result_folder()
    (folder / missing).unlink()
    with pytest.raises(UserError, match=missing):
        Results.read(folder)


@pytest.mark.parametrize("broken", ["{", "[]", "{}", '{"name": "x", "metrics": {}}'])
def test_broken_metrics_file(result_folder, broken):
    folder = result_folder()
    (folder / "metrics.json").write_text(broken)
    with pytest.raises(UserError):
        Results.read(folder)


@pytest.mark.parametrize("value", [72.5, -0.1, "0.5", float("nan")])
def test_a_figure_that_is_no_fraction(result_folder, value):
    folder = result_folder()
    facts = json.loads((folder / "metrics.json").read_text())
    facts["metrics"]["P@1"]["value"] = value
    (folder / "metrics.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match=r"a result of experiments\.evaluate|a JSON file .* NaN"):
        Results.read(folder)


@pytest.mark.parametrize(("file", "old", "new"), [
    ("ranking.csv", "negative", "wrong"), ("ranking.csv", "q0,1,", "q0,one,"), ("per_query.csv", "0.375", "much")])
def test_a_cell_that_is_not_what_it_should_be(result_folder, file, old, new):
    folder = result_folder()
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    with pytest.raises(UserError, match=r"a result of experiments\.evaluate"):
        Results.read(folder)


def test_what_is_read_is_what_was_written(tmp_path):
    RESULTS.write(tmp_path / "one", {})
    found = Results.read(tmp_path / "one")
    assert (found.name, found.card, found.metrics) == (RESULTS.name, CARD, METRICS)
    assert found.ranking["q1"][1] == RESULTS.ranking["q1"][1]
    found.write(tmp_path / "two", {})
    for name in ("metrics.json", "per_query.csv", "ranking.csv"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    assert Results.read(tmp_path / "one/metrics.json").ranking == found.ranking


def test_results_of_an_earlier_version_are_read(tmp_path):
    RESULTS.write(tmp_path, {})
    facts = json.loads((tmp_path / "metrics.json").read_text())
    del facts["card"]["distractors"], facts["card"]["versions"], facts["metrics"]["mAP@100"]["queries"]
    facts["card"]["of_old"] = 1
    (tmp_path / "metrics.json").write_text(json.dumps(facts))
    found = Results.read(tmp_path)
    assert (found.card.distractors, found.card.versions) == ("not stated", {})
    assert found.main == Measure(0.5, 0.4, 0.6, None)
    with pytest.raises(UserError, match="a protocol card of this version; received distractors, of_old, versions"):
        Results.read(tmp_path, complete=True)


def test_columns_of_grades(tmp_path):
    row = {"query_id": "q", "average_precision": 0.5, "positives": 2, "average_precision/Easy": math.nan,
           "average_precision/Medium": 0.5, "positives/Easy": 0, "positives/Medium": 2}
    Results("r", CARD, METRICS, [row], {}).write(tmp_path, {})
    found = Results.read(tmp_path)
    assert found.average_precisions == {"mAP/Easy": {}, "mAP/Medium": {"q": 0.5}}
    assert found.per_query[0]["positives/Medium"] == 2


def test_groups_keep_the_order(make_result):
    results = [make_result("a"), make_result("b", benchmark="x"), make_result("c"), make_result("d", protocol="y")]
    assert [[result.name for result in group] for group in by_benchmark(results)] == [["a", "c"], ["b"], ["d"]]
    assert by_benchmark([]) == []


@pytest.mark.parametrize("change", [{"metrics": {}}, {"metrics": None}, {"name": 3},
                                    {"metrics": {"mAP@100": {"value": "1"}, "P@1": {}, "P@10": {}}}])
def test_a_closing_table_of_other_results_is_refused(result_folder, change):
    folder = result_folder()
    facts = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps(facts | change))
    with pytest.raises(UserError, match=r"metrics\.json; received"):
        closing_table([folder])


@pytest.mark.parametrize("change", [{"value": None}, {"low": "0"}, {"high": True}, {"queries": 2.5}, {"queries": "2"}])
def test_figures_of_other_types_are_refused(result_folder, change):
    folder = result_folder()
    facts = json.loads((folder / "metrics.json").read_text())
    facts["metrics"]["mAP@100"] |= change
    (folder / "metrics.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match=r"a result of experiments\.evaluate"):
        Results.read(folder)


def test_a_metric_without_its_number_of_queries_is_printed(make_result):
    assert "100.00]      - queries" in make_result(metrics={"mAP@100": Measure(0.5, 0.25, 1.0)}).table()
