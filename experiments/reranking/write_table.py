"""What a re-ranking script leaves behind."""

from collections.abc import Mapping, Sequence

from experiments.reranking.measured_row import MeasuredRow
from experiments.reranking.measured_table import HEADER, aligned_text, effect, measured_table
from experiments.reranking.reranking_run import RerankingRun
from landmark_zoo.core.files import write_csv, write_json
from landmark_zoo.core.provenance import resolved_flags


def write_table(run: RerankingRun, first: Sequence[MeasuredRow], before: MeasuredRow, reranked: Sequence[MeasuredRow],
                landmarks: Mapping[str, str]) -> None:
    """Writes table.csv, per_query.csv and flags.json; prints the table, and what each re-ranking changed.

    Args:
        run: Says where to.
        first: Rows without re-ranking.
        before: The one of them that was re-ranked.
        reranked: What became of it.
        landmarks: Query to landmark.
    """
    rows = [*first, *reranked]
    table = measured_table(rows, run.benchmark, run.seed)
    measured = [row for row in rows if row.average_precision]
    write_csv(run.output / "table.csv", HEADER, table)
    write_csv(run.output / "per_query.csv", ["query_id", *(row.name for row in measured)],
              ([query, *(f"{row.average_precision[query]:.6f}" for row in measured)] for query in run.benchmark.query_ids))
    write_json(run.output / "flags.json", resolved_flags())
    print(aligned_text([HEADER, *table]))
    for row in reranked:
        print("\n".join(effect(row, before, landmarks, run.seed)))
