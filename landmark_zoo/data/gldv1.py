"""Google Landmarks v1: a list of addresses, and pictures kept under their ids."""

import os
from pathlib import Path

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.data.catalogue import Catalogue, Entry

NO_LANDMARK = "None"


def read_gldv1(root: str | Path, *, strict: bool = False) -> Catalogue:
    """Reads `train.csv` (id, url, landmark_id) and the pictures that were fetched, `train/<id>.jpg`.

    The list has 1,225,029 lines of 14,951 landmarks, and many of its addresses are dead: a listed picture without a file is
    the ordinary case. Lines whose landmark is "None" or empty are left out.
    Reference: Noh et al., Large-Scale Image Retrieval with Attentive Deep Local Features, ICCV 2017.

    Args:
        root: The folder that holds the list and `train/`.
        strict: Refuse a listed picture that has no file; otherwise it goes into `missing`.

    Returns:
        The catalogue, sorted by id.

    Raises:
        UserError: The list is missing or broken, names an id twice, or (strict) a picture has no file.
    """
    root = Path(os.path.abspath(root))
    folder = root / "train"
    files = set(os.listdir(folder)) if folder.is_dir() else set()
    entries, missing = [], []
    for row in read_csv(root / "train.csv", ["id", "landmark_id"]):
        if row["landmark_id"] in ("", NO_LANDMARK):
            continue
        if f"{row['id']}.jpg" in files:
            entries.append(Entry(row["id"], os.path.join(folder, f"{row['id']}.jpg"), row["landmark_id"]))
        else:
            missing.append(row["id"])
    if missing and strict:
        raise UserError(f"a file in {folder} for each listed picture", f"{len(missing):,} without one, first {missing[0]}",
                        "Fetch them or drop --strict.")
    if missing:
        logging.warning("%s of %s listed pictures have no file in %s", f"{len(missing):,}",
                        f"{len(missing) + len(entries):,}", folder)
    return Catalogue(tuple(sorted(entries, key=lambda entry: entry.id)), f"{root} (GLDv1)", tuple(missing))
