"""Google Landmarks v2: the training lists and the folders its archives unpack to."""

import csv
import itertools
import os
import sys
from pathlib import Path

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.data.catalogue import Catalogue, Entry

_LONGEST_CELL = 2**27


def read_gldv2(root: str | Path, *, clean: bool = False, strict: bool = False) -> Catalogue:
    """Reads `train.csv` (id, landmark_id), or of it what `train_clean.csv` (landmark_id, images) keeps.

    Both lists may carry the release in their names (`train_v2.1.csv`). Pictures lie at `train/a/b/c/<id>.jpg`, where a,
    b, c are the first three letters of the id. Each of those folders is listed once; no picture is looked at singly.
    Reference: Weyand et al., Google Landmarks Dataset v2, CVPR 2020; github.com/cvdfoundation/google-landmark.

    Args:
        root: The folder that holds the lists and `train/`.
        clean: Take the cleaned list of 1,580,470 pictures of 81,313 landmarks instead of all.
        strict: Refuse a listed picture that has no file; otherwise it goes into `missing`.

    Returns:
        The catalogue, sorted by id.

    Raises:
        UserError: A list is missing or broken, the clean list names an id that the full list does not know, or (strict)
            a picture has no file.
    """
    root = Path(os.path.abspath(root))
    csv.field_size_limit(_LONGEST_CELL)
    landmarks = _clean_list(root) if clean else _full_list(root)
    entries, missing = [], []
    for prefix, ids in itertools.groupby(sorted(landmarks), key=lambda image_id: image_id[:3]):
        folder = os.path.join(root, "train", *prefix)
        names = set(os.listdir(folder)) if os.path.isdir(folder) else ()
        for image_id in ids:
            if f"{image_id}.jpg" in names:
                entries.append(Entry(image_id, os.path.join(folder, f"{image_id}.jpg"), landmarks[image_id]))
            else:
                missing.append(image_id)
    if missing and strict:
        raise UserError(f"a file for each of the {len(landmarks):,} listed pictures in {root}",
                        f"{len(missing):,} without one, first {missing[0]}", "Unpack all archives or drop --strict.")
    if missing:
        logging.warning("%s of %s listed pictures have no file in %s", f"{len(missing):,}", f"{len(landmarks):,}", root)
    return Catalogue(tuple(entries), f"{root} ({'clean' if clean else 'full'} list)", tuple(missing))


def gldv2_path(root: str | Path, image_id: str) -> str:
    """Returns where GLDv2's archives put a picture: `root/a/b/c/<id>.jpg`."""
    return os.path.join(root, *image_id[:3], f"{image_id}.jpg")


def _full_list(root: Path) -> dict[str, str]:
    path = _list(root, "train")
    landmarks: dict[str, str] = {}
    for row in read_csv(path, ["id", "landmark_id"]):
        if row["id"] in landmarks:
            raise UserError(f"each id once in {path}", f"{row['id']} twice", "Download the list again.")
        landmarks[row["id"]] = sys.intern(row["landmark_id"])
    return landmarks


def _clean_list(root: Path) -> dict[str, str]:
    path = _list(root, "train_clean")
    landmarks: dict[str, str] = {}
    for row in read_csv(path, ["landmark_id", "images"]):
        for image_id in row["images"].split():
            if image_id in landmarks:
                raise UserError(f"each id once in {path}", f"{image_id} twice", "Download the list again.")
            landmarks[image_id] = row["landmark_id"]
    full = _list(root, "train")
    unknown = set(landmarks)
    unknown.difference_update(row["id"] for row in read_csv(full, ["id"]))
    if unknown:
        raise UserError(f"every id of {path.name} in {full}", f"{len(unknown):,} others, first {min(unknown)}",
                        "Take both lists from one release.")
    return landmarks


def _list(root: Path, name: str) -> Path:
    paths = [root / f"{name}.csv", root / f"{name}_v2.1.csv"]
    for path in paths:
        if path.is_file():
            return path
    raise UserError(f"{paths[0].name} or {paths[1].name} in {root}", "neither", "Check the folder.")
