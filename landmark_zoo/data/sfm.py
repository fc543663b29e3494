"""retrieval-SfM-120k: photographs in clusters that show one place, and pairs that matched in 3-D."""

import os
from pathlib import Path

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv, read_json
from landmark_zoo.data.catalogue import Catalogue, Entry


def read_sfm(listing: str | Path, images: str | Path, *, split: str = "train", strict: bool = False) -> Catalogue:
    """Reads which photographs a split has and which cluster each belongs to, its landmark here.

    The original list is a pickle, and nothing is unpickled here. Taken are its content as JSON,
    `{"train": {"cids": [...], "cluster": [...], "qidxs": [...], "pidxs": [...]}, "val": {...}}`, or a csv table of one
    split with the columns id and cluster. Reference: Radenovic, Tolias, Chum: Fine-tuning CNN Image Retrieval with No
    Human Annotation, TPAMI 2018.

    Args:
        listing: The .json or .csv file.
        images: The folder of the photographs, see `sfm_path`.
        split: "train" or "val", of a JSON list.
        strict: Refuse a listed picture that has no file; otherwise it goes into `missing`.

    Raises:
        UserError: The list is missing or broken, an id occurs twice, or (strict) a picture has no file.
    """
    images = os.path.abspath(images)
    if Path(listing).suffix == ".csv":
        rows = [(row["id"], row["cluster"]) for row in read_csv(listing, ["id", "cluster"])]
    else:
        part = _split(listing, split, ["cids", "cluster"])
        rows = [(str(cid), str(cluster)) for cid, cluster in zip(part["cids"], part["cluster"], strict=True)]
    entries, missing = [], []
    for cid, cluster in rows:
        path = sfm_path(images, cid)
        if os.path.isfile(path):
            entries.append(Entry(cid, path, cluster))
        elif strict:
            raise UserError(f"a file for each picture of {listing}", f"{cid} without one at {path}",
                            "Unpack all archives or drop --strict.")
        else:
            missing.append(cid)
    if missing:
        logging.warning("%s of %s listed pictures have no file in %s", f"{len(missing):,}", f"{len(rows):,}", images)
    return Catalogue(tuple(entries), f"{os.path.abspath(listing)} ({split})", tuple(missing))


def read_sfm_pairs(listing: str | Path, *, split: str = "train") -> list[tuple[str, str]]:
    """Reads the pairs of a query and a picture that shows the same from nearby.

    Args:
        listing: The JSON of `read_sfm`, or a csv table with the columns query and positive, both ids.
        split: "train" or "val", of a JSON list.

    Returns:
        (query's id, positive's id), in the order of the list.

    Raises:
        UserError: The list is missing or broken, or a pair names a picture that is not in it.
    """
    if Path(listing).suffix == ".csv":
        return [(row["query"], row["positive"]) for row in read_csv(listing, ["query", "positive"])]
    part = _split(listing, split, ["cids", "cluster"], ["qidxs", "pidxs"])
    ids, wrong = part["cids"], [place for place in part["qidxs"] + part["pidxs"]
                                if not (isinstance(place, int) and 0 <= place < len(part["cids"]))]
    if wrong:
        raise UserError(f"pairs of places from 0 to {len(ids) - 1} in {listing}", repr(wrong[0]), "Convert the list again.")
    return [(str(ids[query]), str(ids[positive])) for query, positive in zip(part["qidxs"], part["pidxs"], strict=True)]


def sfm_path(images: str | Path, cid: str) -> str:
    """Returns where the collection puts a picture: `images/<last two>/<two before>/<two before>/<cid>`, without suffix."""
    return os.path.join(images, cid[-2:], cid[-4:-2], cid[-6:-4], cid)


def _split(listing: str | Path, split: str, *columns: list[str]) -> dict[str, list]:
    """Returns a split of the JSON list; the lists of each group of columns are of one length."""
    facts = read_json(listing)
    part = facts.get(split) if isinstance(facts, dict) else None
    part = part if isinstance(part, dict) else {}
    for group in columns:
        lengths = [f"{len(part[name]):,}" if isinstance(part.get(name), list) else "none" for name in group]
        if "none" in lengths or len(set(lengths)) > 1:
            raise UserError(f"lists {' and '.join(group)} of one length under {split!r} in {listing}",
                            f"lengths {', '.join(lengths)}", "Convert the original list again.")
    return part
