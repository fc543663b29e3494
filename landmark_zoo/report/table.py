"""Tables of a page."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


class Html(str):
    """Text that is HTML already; all other text is escaped."""

    __slots__ = ()


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], marked: Sequence[bool] = ()) -> Html:
    """Returns an HTML table whose first column names the rows.

    Args:
        header: Column titles.
        rows: Cells as text, numbers or `Html`.
        marked: Which rows are highlighted; none where empty.
    """
    head = "".join(f'<th scope="col">{_text(title)}</th>' for title in header)
    body = []
    for number, (first, *cells) in enumerate(rows):
        mark = ' class="marked"' if marked and marked[number] else ""
        rest = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
        body.append(f'<tr{mark}><th scope="row">{_text(first)}</th>{rest}</tr>')
    return Html(f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
                f'<tbody>{"".join(body)}</tbody></table></div>')


def _text(value: Any) -> str:
    return value if isinstance(value, Html) else escape(value if isinstance(value, str) else str(value))
