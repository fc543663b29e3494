"""The result folder: what an evaluation leaves behind."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_csv, write_json
from landmark_zoo.evaluation.protocol_card import ProtocolCard

RANKING_DEPTH = 100


@dataclass(frozen=True)
class Results:
    """The figures of one model on one benchmark.

    Attributes:
        name: What the report will call it.
        card: Under which rules they were measured.
        metrics: Metric name to `{"value", "low", "high", "queries"}`, fractions from 0 to 1.
        per_query: One row per query: `query_id`, `average_precision`, `positives`, and perhaps more columns.
        ranking: One row per query and place: query id, rank from 1, index id, score, relevance.
    """

    name: str
    card: ProtocolCard
    metrics: Mapping[str, Mapping[str, float]]
    per_query: Sequence[Mapping[str, Any]]
    ranking: Sequence[tuple[str, int, str, float, str]]

    def write(self, output: str | Path, flags: Mapping[str, Any]) -> None:
        """Writes `per_query.csv`, `ranking.csv`, `flags.json`, and `metrics.json` last.

        Results of the same model on the same benchmark are replaced.

        Args:
            output: The result folder.
            flags: The resolved flags of the run (`core.provenance.resolved_flags`).

        Raises:
            UserError: The folder holds results of another model, benchmark or ground truth.
        """
        output = Path(output)
        self._check_folder(output)
        write_csv(output / "per_query.csv", list(self.per_query[0]),
                  (map(_cell, row.values()) for row in self.per_query))
        write_csv(output / "ranking.csv", ["query_id", "rank", "index_id", "score", "relevance"],
                  ([*row[:3], f"{row[3]:.6f}", row[4]] for row in self.ranking))
        write_json(output / "flags.json", dict(flags))
        write_json(output / "metrics.json", {
            "name": self.name, "benchmark": self.card.benchmark, "protocol": self.card.protocol,
            "metrics": self.metrics, "queries_used": self.card.queries_used,
            "queries_ignored": self.card.queries_ignored, "card": self.card.to_dict()})

    def table(self) -> str:
        """Returns the metrics as lines of text, in per cent with their intervals."""
        width = max(map(len, self.metrics))
        lines = [f"{name:{width}}  {100 * m['value']:6.2f}  [{100 * m['low']:6.2f}, {100 * m['high']:6.2f}]  "
                 f"{m['queries']:5d} queries" for name, m in self.metrics.items()]
        card = self.card
        counts = (f"queries: {card.queries_used} used, {card.queries_ignored} ignored, {card.queries_missing} without an "
                  f"answer; index images: {card.index_images}, {card.index_images_missing} missing; distractors: "
                  f"{card.distractors}")
        return "\n".join([f"{self.name} on {card.benchmark} ({card.protocol}), per cent", *lines, counts])

    def _check_folder(self, output: Path) -> None:
        if not (output / "metrics.json").exists():
            return
        found = read_json(output / "metrics.json").get("card", {})
        unlike = [key for key in ("model_fingerprint", "benchmark", "ground_truth_sha256")
                  if getattr(self.card, key) != found.get(key)]
        if unlike:
            raise UserError(f"no other results in {output}", f"some with another {', '.join(unlike)}",
                            "Choose another output folder or remove it.")


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6f}"
    return value
