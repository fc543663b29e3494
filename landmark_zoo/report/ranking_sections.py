"""The sections of a page that show what the systems find."""

from landmark_zoo.report.query_choice import changed_queries, choose_queries
from landmark_zoo.report.ranking_grid import ranking_grid
from landmark_zoo.report.result import Result
from landmark_zoo.report.table import Html
from landmark_zoo.report.thumbnail import Thumbnails

QUERIES = 4
CHANGED = 3
KEY = ('<p class="hint">Blue: the query. Then the first ten pictures found, best first: '
       '<span class="key positive">✓ right</span> <span class="key negative">✗ wrong</span> '
       '<span class="key">– junk</span>, which counts neither way. AP, the average precision, is 100 % where all '
       "positives come before everything else.</p>")


def ranking_sections(results: list[Result], thumbnails: Thumbnails) -> list[tuple[str, str, Html]]:
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
