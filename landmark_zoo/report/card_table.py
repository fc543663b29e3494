"""The conditions under which the scores were measured."""

import re
from typing import Any

from landmark_zoo.report.result import Result
from landmark_zoo.report.table import Html, table
from landmark_zoo.report.training_run import unfolded

VERSIONS = "versions."
SYSTEM = ("model_name", "model_fingerprint", "training_data", "git_commit")
ABSENT = "–"


def card_table(results: list[Result]) -> Html:
    """Returns the protocol cards beside each other; rows in which systems differ are marked."""
    cards = [unfolded(result.card) for result in results]
    keys = [key for key in _keys(cards) if not key.startswith(VERSIONS)]
    rows = [[key.replace("_", " "), *(_value(card.get(key, ABSENT)) for card in cards)] for key in keys]
    return table(["", *(result.name for result in results)], rows, [_differs(key, cards) for key in keys])


def versions_table(results: list[Result], page_versions: dict[str, str]) -> Html:
    """Returns the versions that each result, and this page, were made with; rows in which they differ are marked."""
    columns = [{key: value for key, value in unfolded(result.card).items() if key.startswith(VERSIONS)}
               for result in results] + [{f"{VERSIONS}{name}": version for name, version in page_versions.items()}]
    header, columns = zip(*[(name, column) for name, column in zip([*(result.name for result in results), "this page"],
                                                                 columns, strict=True) if column], strict=True)
    keys = _keys(columns)
    return table(["", *header], [[key.removeprefix(VERSIONS), *(column.get(key, ABSENT) for column in columns)]
                                 for key in keys], [_differs(key, columns) for key in keys])


def unlike(before: Result, after: Result) -> list[str]:
    """Returns the conditions in which two cards differ, those left out that say which system was measured, and when."""
    cards = [unfolded(before.card), unfolded(after.card)]
    return [key for key in _keys(cards)
            if _differs(key, cards) and key not in SYSTEM and not key.startswith(VERSIONS)]


def _keys(cards: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for card in cards for key in card))


def _differs(key: str, cards: list[dict[str, Any]]) -> bool:
    return any(card.get(key, ABSENT) != cards[0].get(key, ABSENT) for card in cards[1:])


def _value(value: Any) -> str:
    """Shortens checksums; lists are joined."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ABSENT if value is None else str(value)
    return f"{text[:12]}…" if re.fullmatch(r"[0-9a-f]{32,}", text) else text
