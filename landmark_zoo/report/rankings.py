"""Sections of a report that show queries with the images found."""

import math
from html import escape

from landmark_zoo.evaluation.results import RankedImage, Results
from landmark_zoo.report.html import Html, Thumbnails

MARKS = {"positive": ("positive", "✓"), "easy": ("positive", "✓"), "hard": ("positive", "✓"),
         "negative": ("negative", "✗"), "junk": ("junk", "–")}


def ranking_grid(queries: list[str], systems: list[Results], thumbnails: Thumbnails) -> str:
    """Draws one block per query: the query in a blue frame, and for each system its first answers.

    A frame is green with a tick for a positive, red with a cross for a negative, gray with a dash for junk.

    Args:
        queries: Ids that every system has answered.
        systems: One for a plain grid; several are drawn below each other, with their names.
        thumbnails: Source of the images.

    Returns:
        HTML.
    """
    return "\n".join(_block(query, systems, thumbnails) for query in queries)


def _block(query: str, systems: list[Results], thumbnails: Thumbnails) -> str:
    strips = "".join(_strip(query, system, len(systems) > 1, thumbnails) for system in systems)
    return (f'<figure class="ranking"><div><span class="frame query-frame">{thumbnails.html(query, f"query {query}")}'
            f"</span><figcaption><code>{escape(query)}</code></figcaption></div><div>{strips}</div></figure>")


def _strip(query: str, system: Results, named: bool, thumbnails: Thumbnails) -> str:
    name = f"<b>{escape(system.name)}</b> · " if named else ""
    positives = f"{system.positives[query]} positive{'s' * (system.positives[query] != 1)} in the index"
    cells = "".join(_cell(answer, thumbnails) for answer in system.first_images(query))
    return (f'<p class="system">{name}AP {100 * system.average_precision[query]:.1f} % · {positives}</p>'
            f'<div class="strip">{cells}</div>')


def _cell(answer: RankedImage, thumbnails: Thumbnails) -> str:
    kind, mark = MARKS[answer.relevance]
    alt = f"rank {answer.rank}: {answer.index_id}, {answer.relevance}, score {answer.score:.3f}"
    return f'<span class="frame {kind}">{thumbnails.html(answer.index_id, alt)}<b aria-hidden="true">{mark}</b></span>'


RIGHT = ("positive", "easy", "hard")


def choose_queries(result: Results, count: int) -> dict[str, list[str]]:
    """Returns up to `count` queries each that were answered best, worst and about as well as the mean.

    No query is in two lists: of a few queries, fewer than `count` are taken for each. Ties go to the query with more
    positives, whose average precision is the greater feat or the worse failure, then to the id.

    Returns:
        {"average": ids, "best": ids, "worst": ids}.
    """
    scores = {query: value for query, value in result.average_precision.items() if result.first_images(query)}
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


def changed_queries(before: Results, after: Results, count: int) -> dict[str, list[str]]:
    """Returns up to `count` queries each whose average precision rose and fell most from `before` to `after`.

    Returns:
        {"gained": ids, "lost": ids}; queries without a change are in neither.
    """
    change = {query: after.average_precision[query] - value for query, value in before.average_precision.items()
              if query in after.average_precision and before.first_images(query) and after.first_images(query)}
    gained = sorted((query for query in change if change[query] > 0), key=lambda query: (-change[query], query))
    lost = sorted((query for query in change if change[query] < 0), key=lambda query: (change[query], query))
    return {"gained": _varied(gained, after, count), "lost": _varied(lost, before, count)}


def _varied(order: list[str], result: Results, count: int) -> list[str]:
    """Takes from `order` those that share no positive answer with one taken before, then fills up."""
    taken: list[str] = []
    seen: set[str] = set()
    for query in order:
        right = {answer.index_id for answer in result.first_images(query) if answer.relevance in RIGHT}
        if len(taken) < count and not right & seen:
            taken.append(query)
            seen |= right
    taken += [query for query in order if query not in taken][:count - len(taken)]
    return sorted(taken, key=order.index)


QUERIES = 4
CHANGED = 3
KEY = ('<p class="hint">Blue: the query. Then the first ten pictures found, best first: '
       '<span class="key positive">✓ right</span> <span class="key negative">✗ wrong</span> '
       '<span class="key">– junk</span>, which counts neither way. AP, the average precision, is 100 % where all '
       "positives come before everything else.</p>")


def ranking_sections(results: list[Results], thumbnails: Thumbnails) -> list[tuple[str, str, Html]]:
    """Draws average, best and worst queries of the last system, then those that changed most since the first.

    Returns:
        (anchor, title, HTML) of each section that has a query to show.
    """
    last = results[-1]
    first = next(result for result in results if result.comparable(last))
    chosen = choose_queries(last, QUERIES)
    sections = [
        ("average", "What it finds", "Queries answered about as well as the mean.", chosen["average"], [last]),
        ("best", "Best queries", "Where it does best, different landmarks first.", chosen["best"], [last]),
        ("worst", "Worst queries", "Where it fails, different landmarks first.", chosen["worst"], [last]),
    ]
    if first is not last:
        changed = changed_queries(first, last, CHANGED)
        sections += [
            ("gained", "Gained most", "Queries whose average precision rose most.", changed["gained"], [first, last]),
            ("lost", "Lost most", "Queries whose average precision fell most.", changed["lost"], [first, last]),
        ]
    return [(anchor, title, Html(f"<p>{text}</p>{KEY if anchor == 'average' else ''}"
                                 f"{ranking_grid(queries, systems, thumbnails)}"))
            for anchor, title, text, queries, systems in sections if queries]
