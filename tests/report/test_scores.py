import re

from landmark_zoo.evaluation.results import Measure, Results
from landmark_zoo.report.scores import (
    card_table,
    difference_table,
    key_figures,
    metric_names,
    metrics_table,
    results_table,
    score_charts,
    scores,
    unlike,
    versions_table,
)


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


def cells(html):
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [[re.sub(r"<.*?>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
            for row in rows]


def test_the_numbers_are_those_of_metrics_json(result_folder):
    html = results_table([Results.read(result_folder("trained", score=0.71249))])
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


def test_a_row_for_every_metric(make_result):
    both = {"mAP/Hard": Measure(0.25, 0.2, 0.3), "mP@5/Hard": Measure(0.5, 0, 1)}
    html = metrics_table([make_result("<a>", metrics=both),
                          make_result("b", metrics={"mAP/Hard": Measure(0.125, 0.1, 0.2)})])
    assert '<th scope="col">&lt;a&gt;</th><th scope="col">b</th>' in html
    assert ('<th scope="row">mAP/Hard</th><td><b>25.0</b> <small>20.0–30.0</small></td>'
            "<td>12.5 <small>10.0–20.0</small></td>") in html
    assert '<th scope="row">mP@5/Hard</th><td><b>50.0</b> <small>0.0–100.0</small></td><td>–</td>' in html


def test_compares_the_last_system_with_each_other_one(make_result):
    html = difference_table([make_result("first", {"q0": 0.0, "q1": 0.1}), make_result("elsewhere", benchmark="other"),
                             make_result("<second>", {"q0": 0.5, "q1": 0.2}),
                             make_result("last", {"q0": 0.4, "q1": 0.6})])
    assert "“last” against" in html
    assert '<th scope="row">first</th><td>+45.0</td><td>+40.0 to +50.0</td><td>yes</td><td>2</td>' in html
    assert '<th scope="row">&lt;second&gt;</th><td>+15.0</td><td>−10.0 to +40.0</td><td>no, zero is inside</td>' in html
    assert "elsewhere" not in html


def test_nothing_without_another_system(make_result):
    assert difference_table([make_result()]) == ""


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


def test_rows_that_differ_are_marked(make_result):
    html = card_table([make_result("a", side=224, scales=[1.0, 0.5], crop="<none>", model_name="m"),
                       make_result("b", side=288, scales=[1.0, 0.5], crop="<none>", model_name="m")])
    assert '<tr class="marked"><th scope="row">side</th><td>224</td><td>288</td></tr>' in html
    assert '<tr><th scope="row">scales</th><td>1.0, 0.5</td><td>1.0, 0.5</td></tr>' in html
    assert "&lt;none&gt;" in html
    assert html.count("marked") == 1


def test_a_fact_that_one_card_lacks_differs(make_result):
    html = card_table([make_result("a"), make_result("b", whitening=True)])
    assert '<tr class="marked"><th scope="row">whitening</th><td>not stated</td><td>yes</td></tr>' in html


def test_checksums_are_shortened_and_versions_are_left_to_their_table(make_result):
    html = card_table([make_result(model_fingerprint="0123456789ab" + "f" * 52, versions={"numpy": "1"}), make_result("b")])
    assert "<td>0123456789ab…</td>" in html
    assert "numpy" not in html
    assert "versions" not in html


def test_unlike_names_conditions_and_not_the_system(make_result):
    before = make_result(side=224, model_name="a", versions={"numpy": "1"}, git_commit="x")
    after = make_result(side=288, model_name="b", versions={"numpy": "2"}, git_commit="y", exif=1)
    assert unlike(before, after) == ["exif", "side"]
    assert unlike(before, before) == []


def test_versions(make_result):
    html = versions_table([make_result("a", versions={"numpy": "1.26"}), make_result("silent")],
                          {"numpy": "1.27", "pillow": "12"})
    assert '<th scope="col">a</th><th scope="col">this page</th>' in html
    assert '<tr class="marked"><th scope="row">numpy</th><td>1.26</td><td>1.27</td></tr>' in html
    assert '<th scope="row">pillow</th><td>–</td><td>12</td>' in html
    assert "silent" not in html


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
    bars, _ = score_charts([make_result("n" * 50, {})])
    assert "n" * 35 + "…" in bars
