"""Rankings as a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_csv, write_json


def write_rankings(folder: str | Path, query_ids: Sequence[str], rankings: Sequence[Sequence[str]],
                   facts: Mapping[str, Any]) -> None:
    """Writes `rankings.csv`, in the form of a GLDv2 submission, and `rankings.json` with what is known of them.

    Args:
        folder: Where to.
        query_ids: The queries, column `id`.
        rankings: For each query index ids, best first: column `images`, with blanks between.
        facts: How the rankings came about.

    Raises:
        UserError: An id with a blank in it.
        ValueError: Not one ranking per query.
    """
    if len(query_ids) != len(rankings):
        raise ValueError(f"write_rankings: expected {len(query_ids)} rankings; received {len(rankings)}.")
    wrong = next((image for ranking in rankings for image in ranking if len(image.split()) != 1), None)
    if wrong is not None:
        raise UserError("ids without blanks for rankings", repr(wrong), "Give the photographs other ids.")
    write_csv(Path(folder) / "rankings.csv", ["id", "images"],
              ([query, " ".join(ranking)] for query, ranking in zip(query_ids, rankings, strict=True)))
    write_json(Path(folder) / "rankings.json", dict(facts))
