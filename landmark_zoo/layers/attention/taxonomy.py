"""The table of attention methods as Markdown, in the taxonomy of Song, Han and Avrithis (WACV 2022, table 1)."""

from collections.abc import Iterable

from landmark_zoo.layers.attention.method import Method

PLACES = ("local_spatial", "local_channel", "global_spatial", "global_channel")
HEADER = ("name", "local spatial", "local channel", "global spatial", "global channel", "learned", "retrieval", "paper")


def taxonomy_table(methods: Iterable[Method]) -> str:
    """Returns one Markdown row per method; names link to the file of the layer."""
    lines = [f"| {' | '.join(HEADER)} |", "|---" + "|:-:" * 6 + "|---|"]
    for method in methods:
        file = f"{method.layer.__module__.replace('.', '/')}.py"
        marks = [getattr(method, mark) for mark in (*PLACES, "learned", "used_in_retrieval")]
        cells = [f"[{method.name}]({file})", *("x" if mark else "" for mark in marks), method.paper]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
