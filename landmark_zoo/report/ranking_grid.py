"""Queries and what was found for them, as rows of framed pictures."""

from html import escape

from landmark_zoo.report.result import Answer, Result
from landmark_zoo.report.thumbnail import Thumbnails

MARKS = {"positive": ("positive", "✓"), "easy": ("positive", "✓"), "hard": ("positive", "✓"),
         "negative": ("negative", "✗"), "junk": ("junk", "–")}


def ranking_grid(queries: list[str], systems: list[Result], thumbnails: Thumbnails) -> str:
    """Draws one block per query: the query in a blue frame, and for each system its first answers.

    A frame is green with a tick for a positive, red with a cross for a negative, gray with a dash for junk.

    Args:
        queries: Ids that every system has answered.
        systems: One for a plain grid; several are drawn below each other, with their names.
        thumbnails: Where the pictures come from.

    Returns:
        HTML.
    """
    return "\n".join(_block(query, systems, thumbnails) for query in queries)


def _block(query: str, systems: list[Result], thumbnails: Thumbnails) -> str:
    strips = "".join(_strip(query, system, len(systems) > 1, thumbnails) for system in systems)
    return (f'<figure class="ranking"><div><span class="frame query-frame">{thumbnails.html(query, f"query {query}")}'
            f"</span><figcaption><code>{escape(query)}</code></figcaption></div><div>{strips}</div></figure>")


def _strip(query: str, system: Result, named: bool, thumbnails: Thumbnails) -> str:
    name = f"<b>{escape(system.name)}</b> · " if named else ""
    positives = f"{system.positives[query]} positive{'s' * (system.positives[query] != 1)} in the index"
    cells = "".join(_cell(answer, thumbnails) for answer in system.answers[query])
    return (f'<p class="system">{name}AP {100 * system.average_precision[query]:.1f} % · {positives}</p>'
            f'<div class="strip">{cells}</div>')


def _cell(answer: Answer, thumbnails: Thumbnails) -> str:
    kind, mark = MARKS[answer.relevance]
    alt = f"rank {answer.rank}: {answer.index_id}, {answer.relevance}, score {answer.score:.3f}"
    return f'<span class="frame {kind}">{thumbnails.html(answer.index_id, alt)}<b aria-hidden="true">{mark}</b></span>'
