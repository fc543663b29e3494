"""The section with the scores."""

from html import escape

from landmark_zoo.report.by_benchmark import by_benchmark
from landmark_zoo.report.difference_table import difference_table
from landmark_zoo.report.metrics_table import metrics_table
from landmark_zoo.report.result import Result
from landmark_zoo.report.results_table import results_table
from landmark_zoo.report.score_charts import score_charts
from landmark_zoo.report.table import Html

HINT = ('<p class="hint">Mean average precision (mAP) is 100 % where, for every query, all positives come before '
        "everything else; P@k is the share of right pictures among the first k. Small print: 95 % interval, by a "
        "bootstrap over the queries. Bold: the best.</p>")


def scores(results: list[Result]) -> Html:
    """Returns, for each benchmark, the tables and figures of its systems."""
    groups = by_benchmark(results)
    parts = []
    for number, group in enumerate(groups):
        name = f"<h3>{escape(group[0].benchmark)}, {escape(group[0].protocol)}</h3>" if len(groups) > 1 else ""
        charts = "".join(f"<div>{chart}</div>" for chart in score_charts(group, number))
        more = f"<h3>All metrics</h3>{metrics_table(group)}" if len(group[0].metrics) > 3 else ""
        parts.append(f'{name}{results_table(group)}{HINT if number == 0 else ""}{difference_table(group)}'
                     f'<div class="pair">{charts}</div>{more}')
    return Html("".join(parts))
