import re

from landmark_zoo.report.result import Measure, read_result
from landmark_zoo.report.results_table import metric_names, results_table


def cells(html):
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [[re.sub(r"<.*?>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
            for row in rows]


def test_the_numbers_are_those_of_metrics_json(result_folder):
    html = results_table([read_result(result_folder("trained", score=0.71249))])
    assert cells(html) == [["System", "mAP@100 (%)", "P@1 (%)", "P@10 (%)", "Queries"],
                           ["trained", "71.2 61.2–81.2", "62.5 52.5–72.5", "37.5 27.5–47.5", "3"]]


def test_what_revisited_is_known_by(make_result):
    names = [f"{metric}/{level}" for level in ("Easy", "Medium", "Hard") for metric in ("mAP", "mP@1", "mP@5", "mP@10")]
    header = cells(results_table([make_result(metrics=dict.fromkeys(names, Measure(0.5, 0.4, 0.6)))]))[0]
    assert header[1:-1] == ["mAP/Easy (%)", "mAP/Medium (%)", "mP@10/Medium (%)", "mAP/Hard (%)"]


def test_the_best_of_several_is_bold(make_result):
    worse, better = make_result("a", {"q0": 0.2, "q1": 0.3}), make_result("b", {"q0": 0.6, "q1": 0.6})
    assert "<b>60.0</b>" in results_table([worse, better])
    assert "<b>25.0</b>" not in results_table([worse, better])
    assert "<b>" not in results_table([better]), "nobody to compete with"


def test_a_metric_that_one_lacks_is_a_dash(make_result):
    rows = cells(results_table([make_result("a"), make_result("b", metrics={"mAP@100": Measure(0.5, None, None)})]))
    assert rows[2] == ["b", "50.0", "–", "3"]


def test_metrics_with_other_names_are_shown(make_result):
    assert "recall@5 (%)" in results_table([make_result(metrics={"recall@5": Measure(0.5, 0.4, 0.6)})])


def test_names_are_escaped(make_result):
    html = results_table([make_result("<script>", metrics={"<img>": Measure(0.5, 0.4, 0.6)})])
    assert "<script>" not in html
    assert "<img>" not in html


def test_metric_names_keep_their_order(make_result):
    one, none = Measure(0.5, 0.4, 0.6), Measure(0.1, 0.1, 0.1)
    assert metric_names([make_result(metrics={"b": one, "a": one}), make_result(metrics={"c": none, "a": one})]) == [
        "b", "a", "c"]
