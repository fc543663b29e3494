"""Every metric that was measured."""

from landmark_zoo.report.result import Result
from landmark_zoo.report.results_table import metric_names, score
from landmark_zoo.report.table import Html, table


def metrics_table(group: list[Result]) -> Html:
    """Returns one row per metric and one column per system of a benchmark, as in `results_table`."""
    header = ["Metric (%)", *(result.name for result in group)]
    return table(header, [[name, *(score(result, name, group) for result in group)] for name in metric_names(group)])
