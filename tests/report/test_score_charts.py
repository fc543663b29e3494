from landmark_zoo.report.result import Measure
from landmark_zoo.report.score_charts import score_charts


def test_bars_and_spread_of_one_benchmark(make_result):
    bars, spread = score_charts([make_result("<old>", {"q0": 0.2}), make_result("new", {"q0": 0.6})])
    assert "mAP@100 in percent: &lt;old&gt; 20.0, new 60.0" in bars
    assert "mAP@100 (%), with 95 % interval" in bars
    assert "queries, worst first (%)" in spread


def test_figures_without_an_interval_or_without_a_value(make_result):
    bars, _ = score_charts([make_result("a", metrics={"mAP@100": Measure(None, None, None)}),
                            make_result("b", metrics={"P@1": Measure(0.5, 0.4, 0.6)}),
                            make_result("c", metrics={"mAP@100": Measure(0.5, None, None)})])
    assert "in percent: c 50.0" in bars


def test_long_names_are_cut_and_no_query_is_no_error(make_result):
    bars, _ = score_charts([make_result("n" * 50, average_precision={})])
    assert "n" * 35 + "…" in bars
