"""Rankings set beside each other, and where re-ranking makes one worse."""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.reranking.measured_row import MeasuredRow
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.metric_summaries import metric_summaries
from landmark_zoo.metrics.bootstrap import bootstrap_interval

HEADER = ("row", "what", "mAP@100", "95 % interval", "Private", "Public", "ms per query", "v")
DASH = "-"


def measured_table(rows: Sequence[MeasuredRow], benchmark: Gldv2Benchmark, seed: int = 0) -> list[tuple[str, ...]]:
    """Returns the cells of the table under `HEADER`, in per cent; dashes where a model is missing."""
    return [_cells(row, benchmark, seed) for row in rows]


def aligned_text(table: Sequence[Sequence[str]]) -> str:
    """Returns the table as lines of text."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
                     for line in table)


def effect(row: MeasuredRow, before: MeasuredRow, landmarks: Mapping[str, str], seed: int = 0) -> list[str]:
    """Says in a few lines what re-ranking changed, and on which landmarks it made the rankings worse.

    Args:
        row: After re-ranking.
        before: The row that was re-ranked.
        landmarks: Query to landmark.
        seed: Of the bootstrap over queries.
    """
    change = {query: value - before.average_precision[query] for query, value in row.average_precision.items()}
    better, worse = (sum(sign * value > 1e-9 for value in change.values()) for sign in (1, -1))
    mean, low, high = (100 * value for value in bootstrap_interval(list(change.values()), seed=seed))
    head = (f"{row.name} against {before.name}: {mean:+.2f} [{low:+.2f}, {high:+.2f}]; "
            f"{better} queries better, {worse} worse, {len(change) - better - worse} equal")
    by_landmark: dict[str, list[float]] = {}
    for query, value in change.items():
        by_landmark.setdefault(landmarks.get(query, "?"), []).append(value)
    falls = sorted((float(np.mean(values)), name, len(values)) for name, values in by_landmark.items())
    return [head, *(f"  worse on {name}: {100 * value:+.2f} over {count} queries" for value, name, count in falls
                    if value < -1e-9)]


def _cells(row: MeasuredRow, benchmark: Gldv2Benchmark, seed: int) -> tuple[str, ...]:
    if not row.average_precision:
        return (row.name, row.title, *(DASH,) * (len(HEADER) - 2))
    values = {"all": list(row.average_precision.values())}
    for part in ("Private", "Public"):
        values[part] = [value for query, value in row.average_precision.items() if benchmark.usage[query] == part]
    means = metric_summaries(values, seed)
    whole = means["all"]
    parts = [f"{100 * means[part]['value']:.2f}" if part in means else DASH for part in ("Private", "Public")]
    interval = f"{100 * whole['low']:.1f} to {100 * whole['high']:.1f}"
    return (row.name, row.title, f"{100 * whole['value']:.2f}", interval, *parts, f"{row.query_ms:.1f}",
            DASH if row.v is None else f"{row.v:.2f}")
