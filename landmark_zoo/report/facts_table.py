"""Names and values: the model's facts, the flags."""

from typing import Any

from landmark_zoo.report.table import Html, table


def facts_table(title: str, facts: dict[str, Any]) -> Html:
    """Returns a table of two columns.

    Args:
        title: Above the names.
        facts: Nested tables unfolded (`training_run.unfolded`).
    """
    return table([title, ""], [[name, _value(value)] for name, value in facts.items()])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return "–" if value in (None, "", {}) else str(value)
