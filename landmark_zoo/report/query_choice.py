"""Which queries the page shows."""

import math

from landmark_zoo.report.result import Result

RIGHT = ("positive", "easy", "hard")


def choose_queries(result: Result, count: int) -> dict[str, list[str]]:
    """Returns up to `count` queries each that were answered best, worst and about as well as the mean.

    No query is in two lists: of a few queries, fewer than `count` are taken for each. Ties go to the query with more
    positives, whose average precision is the greater feat or the worse failure, then to the id.

    Returns:
        {"average": ids, "best": ids, "worst": ids}.
    """
    scores = {query: value for query, value in result.average_precision.items() if result.answers.get(query)}
    mean = sum(scores.values()) / max(len(scores), 1)
    count = min(count, math.ceil(len(scores) / 3))
    positives = result.positives
    orders = {
        "best": sorted(scores, key=lambda query: (-scores[query], -positives[query], query)),
        "worst": sorted(scores, key=lambda query: (scores[query], -positives[query], query)),
        "average": sorted(scores, key=lambda query: (abs(scores[query] - mean), query)),
    }
    chosen: dict[str, list[str]] = {}
    for name, order in orders.items():
        taken = {query for queries in chosen.values() for query in queries}
        chosen[name] = _varied([query for query in order if query not in taken], result, count)
    return {name: chosen[name] for name in ("average", "best", "worst")}


def changed_queries(before: Result, after: Result, count: int) -> dict[str, list[str]]:
    """Returns up to `count` queries each whose average precision rose and fell most from `before` to `after`.

    Returns:
        {"gained": ids, "lost": ids}; queries without a change are in neither.
    """
    change = {query: after.average_precision[query] - value for query, value in before.average_precision.items()
              if query in after.average_precision and before.answers.get(query) and after.answers.get(query)}
    gained = sorted((query for query in change if change[query] > 0), key=lambda query: (-change[query], query))
    lost = sorted((query for query in change if change[query] < 0), key=lambda query: (change[query], query))
    return {"gained": _varied(gained, after, count), "lost": _varied(lost, before, count)}


def _varied(order: list[str], result: Result, count: int) -> list[str]:
    """Takes from `order` those that share no positive answer with one taken before, then fills up."""
    taken: list[str] = []
    seen: set[str] = set()
    for query in order:
        right = {answer.index_id for answer in result.answers[query] if answer.relevance in RIGHT}
        if len(taken) < count and not right & seen:
            taken.append(query)
            seen |= right
    taken += [query for query in order if query not in taken][:count - len(taken)]
    return sorted(taken, key=order.index)
