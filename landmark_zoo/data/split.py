"""Training and validation, parted the same way every time."""

import hashlib
from collections import defaultdict
from dataclasses import replace

from landmark_zoo.data.catalogue import Catalogue, Entry


def split(catalogue: Catalogue, fraction: float, seed: int) -> tuple[Catalogue, Catalogue | None]:
    """Parts a catalogue into training and validation, landmark by landmark.

    Of a landmark with n photographs, those n * fraction (rounded half up, but never all n) go to validation whose
    SHA-256 of seed and id is smallest. So a landmark with one photograph stays in training, and neither the order of
    the entries nor other landmarks matter.

    Args:
        catalogue: All photographs.
        fraction: The part for validation, 0 <= fraction < 1.
        seed: Another seed, another split.

    Returns:
        Training and validation, both in the catalogue's order; None where no photograph is left for validation.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"Expected a fraction of at least 0 and below 1; received {fraction}.")
    by_landmark: dict[str, list[Entry]] = defaultdict(list)
    for entry in catalogue:
        by_landmark[entry.landmark_id].append(entry)
    chosen: set[str] = set()
    for entries in by_landmark.values():
        count = min(int(len(entries) * fraction + 0.5), len(entries) - 1)
        entries.sort(key=lambda entry: hashlib.sha256(f"split/{seed}/{entry.id}".encode()).digest())
        chosen.update(entry.id for entry in entries[:count])
    if not chosen:
        return catalogue, None
    return catalogue.without_ids(chosen), replace(
        catalogue, entries=tuple(entry for entry in catalogue if entry.id in chosen))
