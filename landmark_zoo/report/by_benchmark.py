"""Results that can be compared, together."""

from landmark_zoo.report.result import Result


def by_benchmark(results: list[Result]) -> list[list[Result]]:
    """Splits results into groups of one benchmark and protocol each; all orders are kept."""
    groups: list[list[Result]] = []
    for result in results:
        group = next((group for group in groups if group[0].comparable(result)), None)
        if group is None:
            groups.append([result])
        else:
            group.append(result)
    return groups
