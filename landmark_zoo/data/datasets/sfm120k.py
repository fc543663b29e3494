"""Retrieval-SfM-120k: archives, layout, clusters, and query-positive pairs.

Reference: Radenovic, Tolias, Chum, Fine-tuning CNN Image Retrieval with No Human Annotation, TPAMI 2018.
"""

import os
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative, read_csv, read_json, write_json
from landmark_zoo.core.pickles import read_plain_pickle
from landmark_zoo.core.strict_json import check_form
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList, report_missing
from landmark_zoo.data.download.fetch import RemoteFile, Source

_BASE = "http://cmp.felk.cvut.cz/cnnimageretrieval/data/train"
_FOLDER = "sfm120k"
_STEM = "retrieval-SfM-120k"
_COLUMNS = ("cids", "cluster", "qidxs", "pidxs")


def sfm120k(name: str = "sfm120k") -> Source:
    """Returns the one archive of images (`ab/cd/ef/<cid>`, no suffix) and the list, a pickle.

    The addresses are those of cirtorch's `download.py`; no checksum is published and the sizes are rough.
    """
    return Source(name, _FOLDER, (
        RemoteFile(f"{_BASE}/dbs/{_STEM}.pkl", f"{_FOLDER}/{_STEM}.pkl", 60_000_000),
        RemoteFile(f"{_BASE}/ims/ims.tar.gz", f"{_FOLDER}/.archives/ims.tar.gz", 25_000_000_000,
                   unpack_to=f"{_FOLDER}/ims")))


def sfm_listing(folder: Path) -> Path:
    """Returns `folder/retrieval-SfM-120k.json`, made from the pickle beside it when it is not there yet.

    Raises:
        UserError: No pickle, one that holds more than plain lists (whose format could not be checked here), or one
            without train and val.
    """
    path = folder / f"{_STEM}.json"
    if path.is_file():
        return path
    pickled = folder / f"{_STEM}.pkl"
    facts = read_plain_pickle(pickled)
    try:
        write_json(path, {split: {column: facts[split][column] for column in _COLUMNS} for split in ("train", "val")})
    except (KeyError, TypeError) as error:
        raise UserError(f"train and val with {', '.join(_COLUMNS)} in {pickled}", _shape(facts),
                        "Fetch it again.") from error
    return path


def _shape(facts: Any) -> str:
    return f"a dict of {', '.join(map(str, facts))}" if isinstance(facts, dict) else type(facts).__name__


def read_sfm(listing: str | Path, images: str | Path, *, split: str = "train", strict: bool = False) -> ImageList:
    """Reads the images of a split; the cluster of an image is its landmark here.

    The list is the content of the original pickle as JSON (see `sfm_listing`),
    `{"train": {"cids": [...], "cluster": [...], "qidxs": [...], "pidxs": [...]}, "val": {...}}`, or a csv table of one
    split with the columns id and cluster.

    Args:
        listing: Path of the .json or .csv file.
        images: Folder of the images, see `sfm_path`.
        split: "train" or "val", of a JSON list.
        strict: Refuse a listed image that has no file; otherwise it goes into `missing`.

    Raises:
        UserError: The list is missing or broken, an id occurs twice, or (strict) an image has no file.
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
            entries.append(ImageEntry(cid, path, cluster))
        else:
            missing.append(cid)
    report_missing(missing, len(rows), listing, strict)
    return ImageList(tuple(entries), f"{os.path.abspath(listing)} ({split})", tuple(missing))


def read_sfm_pairs(listing: str | Path, *, split: str = "train") -> list[tuple[str, str]]:
    """Reads the pairs of a query and a positive, an image that shows the same from nearby.

    Args:
        listing: Path of the JSON list of `read_sfm`, or of a csv table with the columns query and positive, both ids.
        split: "train" or "val", of a JSON list.

    Returns:
        (query id, positive id), in the order of the list.

    Raises:
        UserError: The list is missing or broken, or a pair names an image that is not in it.
    """
    if Path(listing).suffix == ".csv":
        return [(row["query"], row["positive"]) for row in read_csv(listing, ["query", "positive"])]
    part = _split(listing, split, ["cids", "cluster"], ["qidxs", "pidxs"])
    ids, wrong = part["cids"], [place for place in part["qidxs"] + part["pidxs"]
                                if not (type(place) is int and 0 <= place < len(part["cids"]))]
    if wrong:
        raise UserError(f"pairs of places from 0 to {len(ids) - 1} in {listing}", repr(wrong[0]), "Convert the list again.")
    return [(str(ids[query]), str(ids[positive])) for query, positive in zip(part["qidxs"], part["pidxs"], strict=True)]


def sfm_path(images: str | Path, cid: str) -> str:
    """Returns the path of an image: `images/<last two>/<two before>/<two before>/<cid>`, without suffix.

    Raises:
        UserError: An id that leads out of `images`.
    """
    check_relative(cid, f"the list of images of {images}")
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
    ids = {name: [str | int] for name in ("cids", "cluster") if name in part}
    check_form(part, ids, f"{split} of {listing}", "Convert the original list again.")
    return part
