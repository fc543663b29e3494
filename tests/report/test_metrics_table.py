from landmark_zoo.report.metrics_table import metrics_table
from landmark_zoo.report.result import Measure


def test_a_row_for_every_metric(make_result):
    both = {"mAP/Hard": Measure(0.25, 0.2, 0.3), "mP@5/Hard": Measure(0.5, 0, 1)}
    html = metrics_table([make_result("<a>", metrics=both),
                          make_result("b", metrics={"mAP/Hard": Measure(0.125, 0.1, 0.2)})])
    assert '<th scope="col">&lt;a&gt;</th><th scope="col">b</th>' in html
    assert ('<th scope="row">mAP/Hard</th><td><b>25.0</b> <small>20.0–30.0</small></td>'
            "<td>12.5 <small>10.0–20.0</small></td>") in html
    assert '<th scope="row">mP@5/Hard</th><td><b>50.0</b> <small>0.0–100.0</small></td><td>–</td>' in html
