import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.report.result import Answer, Measure, read_result


def test_reads_what_an_evaluation_writes(result_folder):
    result = read_result(result_folder("trained", score=0.5))
    assert (result.name, result.benchmark, result.protocol) == ("trained", "toy", "gldv2_retrieval")
    assert (result.queries_used, result.queries_ignored) == (3, 1)
    assert result.metrics["P@1"] == Measure(0.625, 0.525, 0.725)
    assert result.card["side"] == 224
    assert result.average_precision == {"q0": 0.375, "q1": 0.5, "q2": 0.625}, "the query without a value is left out"
    assert result.positives["none"] == 0


def test_keeps_the_first_ten_answers_in_order(result_folder):
    folder = result_folder()
    lines = (folder / "ranking.csv").read_text().splitlines()
    (folder / "ranking.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    answers = read_result(folder).answers["q0"]
    assert [answer.rank for answer in answers] == list(range(1, 11))
    assert answers[1] == Answer("i2", 2, 0.5, "negative")


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
        read_result(folder)


@pytest.mark.parametrize("broken", ["{", "[]", "{}", '{"name": "x", "metrics": {}}'])
def test_broken_metrics_file(result_folder, broken):
    folder = result_folder()
    (folder / "metrics.json").write_text(broken)
    with pytest.raises(UserError):
        read_result(folder)


@pytest.mark.parametrize("value", [72.5, -0.1, "0.5", float("nan")])
def test_a_figure_that_is_no_fraction(result_folder, value):
    folder = result_folder()
    facts = json.loads((folder / "metrics.json").read_text())
    facts["metrics"]["P@1"]["value"] = value
    (folder / "metrics.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match="evaluation's files"):
        read_result(folder)


@pytest.mark.parametrize(("file", "old", "new"), [
    ("ranking.csv", "negative", "wrong"), ("ranking.csv", "q0,1,", "q0,one,"), ("per_query.csv", "0.375", "much")])
def test_a_cell_that_is_not_what_it_should_be(result_folder, file, old, new):
    folder = result_folder()
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    with pytest.raises(UserError, match="evaluation's files"):
        read_result(folder)
