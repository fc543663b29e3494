"""Copies of photographs: listed, and left out where that is wanted."""

from pathlib import Path

from absl import logging

from landmark_zoo.core.files import write_csv
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.duplicates import find_duplicates

DUPLICATES = "duplicates.csv"


def part_with_duplicates(parts: dict[str, Catalogue | None], output: Path, skip: bool) -> dict[str, Catalogue | None]:
    """Writes `duplicates.csv` (id, path, reason) about all parts together and returns the parts, without copies if `skip`.

    The original is the first in the order of the parts, so that a copy never stays in validation of what is in training.
    """
    copies = find_duplicates(entry for part in parts.values() if part for entry in part)
    logging.info("%d photographs are copies of others%s", len(copies), " and are left out" if copies and skip else "")
    if copies:
        write_csv(output / DUPLICATES, ["id", "path", "reason"],
                  ([copy.entry.id, copy.entry.path, copy.reason] for copy in copies))
    if not skip:
        return parts
    ids = {copy.entry.id for copy in copies}
    return {name: part.without_ids(ids) if part and any(entry.id not in ids for entry in part) else None
            for name, part in parts.items()}
