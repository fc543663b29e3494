"""The result folder."""

import csv
import dataclasses
import json
import math

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.evaluation.results import Results

FACTS = {field.name: field.name for field in dataclasses.fields(ProtocolCard)}
CARD = ProtocolCard(**FACTS | {"queries_used": 2, "queries_ignored": 1, "versions": {"numpy": "1"}, "scales": [1.0]})
METRICS = {"mAP@100": {"value": 0.5, "low": 0.4, "high": 0.6, "queries": 2}}
RESULTS = Results("tiny", CARD, METRICS,
                  [{"query_id": "q1", "average_precision": 0.25, "positives": 3},
                   {"query_id": "q2", "average_precision": math.nan, "positives": 0}],
                  [("q1", 1, "a", 0.98765432, "positive"), ("q1", 2, "b,ü", 0.5, "negative")])


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_four_files(tmp_path):
    RESULTS.write(tmp_path / "out", {"seed": 0})
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert {key: metrics[key] for key in ("name", "benchmark", "protocol", "queries_used", "queries_ignored")} == {
        "name": "tiny", "benchmark": "benchmark", "protocol": "protocol", "queries_used": 2, "queries_ignored": 1}
    assert metrics["metrics"] == METRICS
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
