from landmark_zoo.report.result import Measure
from landmark_zoo.report.scores import scores


def test_one_benchmark_needs_no_heading(make_result):
    html = scores([make_result("a", {"q0": 0.2, "q1": 0.3}), make_result("b", {"q0": 0.6, "q1": 0.6})])
    assert html.count("<table>") == 2, "scores and differences"
    assert html.count("<svg") == 2
    assert "<h3>" not in html


def test_benchmarks_are_kept_apart(make_result):
    html = scores([make_result("a"), make_result("b", benchmark="<other>"), make_result("c")])
    assert html.index("<h3>toy, gldv2_retrieval</h3>") < html.index("<h3>&lt;other&gt;, gldv2_retrieval</h3>")
    assert html.count("<svg") == 4
    assert html.count("everything else") == 1


def test_many_metrics_have_a_table_of_their_own(make_result):
    metrics = {f"mAP@100/{part}": Measure(0.5, 0.4, 0.6) for part in "abcd"}
    assert "All metrics" in scores([make_result(metrics=metrics)])
