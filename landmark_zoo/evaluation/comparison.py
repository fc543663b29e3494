"""Two results on the same queries."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json
from landmark_zoo.evaluation.protocol_card import ProtocolCard
from landmark_zoo.metrics.bootstrap import bootstrap_interval

SYSTEM = ("training_data", "seed", "versions", "git_commit")  # what is compared, or does not move a metric
BINDING = ("benchmark", "protocol", "ground_truth_sha256", "average_precision", "queries_used")
_COLUMN = "average_precision"


@dataclass(frozen=True)
class Comparison:
    """How much better the later result is than the earlier one.

    Attributes:
        metric: Whose per-query figures are compared.
        queries: The figures of each query that counts, `(before, after)`.
        value: The difference of the means.
        low: Lower end of its 95 % interval, by a bootstrap over the differences.
        high: Upper end of it.
    """

    metric: str
    queries: Mapping[str, tuple[float, float]]
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, metric: str, queries: Mapping[str, tuple[float, float]], seed: int = 0) -> "Comparison":
        """Compares figures that stand side by side."""
        return cls(metric, queries, *bootstrap_interval([after - before for before, after in queries.values()], seed=seed))

    @property
    def wins_losses_ties(self) -> tuple[int, int, int]:
        """How many queries are better after, worse, and equal to the six digits that results keep."""
        signs = [(after > before) - (after < before) for before, after in self.queries.values()]
        return signs.count(1), signs.count(-1), signs.count(0)

    def most_changed(self, count: int) -> list[tuple[str, float, float]]:
        """Returns up to `count` queries with their figures, those that changed most first; unchanged ones are left out."""
        changed = [(query, *both) for query, both in self.queries.items() if both[0] != both[1]]
        return sorted(changed, key=lambda item: (-abs(item[2] - item[1]), item[0]))[:count]


def compare_results(before: str | Path, after: str | Path, allowed: Collection[str] = (), seed: int = 0) -> list[Comparison]:
    """Compares two results query by query.

    Args:
        before: `metrics.json` of a result folder, or the folder.
        after: Likewise.
        allowed: Fields of the protocol card that may differ, because they are what is compared. Name, fingerprint and
            training data of the model, seed, versions and commit may differ anyway.
        seed: Of the bootstrap.

    Returns:
        One comparison for each grade of difficulty, or just one.

    Raises:
        UserError: Unlike protocols, the fields named; files that are missing or broken.
    """
    cards, tables = zip(*map(_read, (before, after)), strict=True)
    unlike = {name: values for name, values in cards[0].differences(cards[1]).items() if name not in SYSTEM}
    refused = [name for name in unlike if name not in allowed or name in BINDING]
    if refused:
        words = "; ".join(f"{name}: {unlike[name][0]} and {unlike[name][1]}" for name in refused)
        free = [name for name in refused if name not in BINDING]
        raise UserError("results of one protocol", f"unlike ones ({words})",
                        f"If that is what you compare: --allow={','.join(free)}." if free == refused
                        else "They cannot be compared.")
    first, second = tables
    if first.keys() != second.keys() or any(first[metric].keys() != second[metric].keys() for metric in first):
        raise UserError("results on the same queries", "others", "Evaluate both again.")
    return [Comparison.of(metric, {query: (first[metric][query], second[metric][query]) for query in first[metric]}, seed)
            for metric in first]


def _read(path: str | Path) -> tuple[ProtocolCard, dict[str, dict[str, float]]]:
    path = Path(path)
    path = path / "metrics.json" if path.is_dir() else path
    facts: dict[str, Any] = read_json(path)
    try:
        card, main = ProtocolCard.from_dict(facts["card"]), next(iter(facts["metrics"]))
        rows = list(read_csv(path.with_name("per_query.csv"), ["query_id", _COLUMN]))
        columns = {name: f"mAP/{name.partition('/')[2]}" for name in rows[0] if name.startswith(f"{_COLUMN}/")}
        return card, {metric: {row["query_id"]: float(row[column]) for row in rows if row[column]}
                      for column, metric in (columns or {_COLUMN: main}).items()}
    except (KeyError, TypeError, ValueError, IndexError, StopIteration) as error:
        raise UserError(f"a result of experiments.evaluate at {path}", f"{type(error).__name__}: {error}",
                        "Evaluate again.") from error
