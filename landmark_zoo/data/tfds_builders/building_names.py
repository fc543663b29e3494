"""Oxford Buildings and Paris: what a picture shows stands in its name."""

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.folder import read_folder


def read_buildings(photos: str | Path, ids: Collection[str] | None = None) -> Catalogue:
    """Reads photographs such as `all_souls_000013.jpg`; the landmark is what was searched for, `all_souls`.

    It is not the ground truth: many pictures show something else.

    Args:
        photos: A folder that holds them, at any depth.
        ids: The names wanted; by default all. Those without a file go into `missing`.
    """
    catalogue = read_folder([photos])
    entries = tuple(replace(entry, landmark_id=re.sub(r"_\d+$", "", entry.id)) for entry in catalogue
                    if ids is None or entry.id in ids)
    found = {entry.id for entry in entries}
    return Catalogue(entries, catalogue.source, tuple(sorted(set(ids or ()) - found)))


def read_revisited(photos: str | Path, name: str) -> dict[str, Catalogue]:
    """Reads the index images and the queries that `gnd_<name>.json` lists.

    Args:
        photos: A folder that holds them and the list, its keys `imlist` and `qimlist` as in the original pickle.
        name: "roxford5k" or "rparis6k".

    Returns:
        "index" and "query".

    Raises:
        UserError: There is no such list, or none of its photographs is there.
    """
    path = Path(photos, f"gnd_{name}.json")
    facts = read_json(path)
    parts = {"index": "imlist", "query": "qimlist"}
    if not isinstance(facts, dict) or not all(isinstance(facts.get(key), list) for key in parts.values()):
        raise UserError(f"lists named imlist and qimlist in {path}", "something else", "Convert the pickle again.")
    return {split: read_buildings(photos, set(facts[key])) for split, key in parts.items()}
