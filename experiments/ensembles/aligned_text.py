"""A table as lines of text."""

from collections.abc import Sequence


def aligned_text(table: Sequence[Sequence[str]]) -> str:
    """Returns one line per row, columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table)
