from landmark_zoo.report.key_figures import key_figures
from landmark_zoo.report.result import Measure


def test_scores_gain_and_size(make_result):
    html = key_figures([make_result("<old>", {"q0": 0.1, "q1": 0.2}), make_result("new", {"q0": 0.4, "q1": 0.6})])
    assert "<strong>50.0 %</strong><span>mAP@100</span><small>95 % interval 40.0–60.0</small>" in html
    assert "<strong>87.5 %</strong><span>of first answers are right</span>" in html
    assert "<strong>+35.0</strong><span>points against &lt;old&gt;</span>" in html
    assert "<strong>2</strong><span>queries of toy</span>" in html


def test_a_gain_that_is_not_clear_says_so(make_result):
    html = key_figures([make_result("old", {"q0": 0.1, "q1": 0.9}), make_result("new", {"q0": 0.9, "q1": 0.3})])
    assert "points against old, not clear" in html


def test_one_system_has_no_gain(make_result):
    html = key_figures([make_result(metrics={"mAP@100": Measure(0.5, None, None)})])
    assert "against" not in html
    assert "<strong>50.0 %</strong><span>mAP@100</span><small></small>" in html
