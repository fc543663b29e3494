"""Photographs that a csv file lists."""

import os
from pathlib import Path

from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.data.catalogue import Catalogue, Entry


def read_table(table: str | Path, *, id_column: str = "id", path_column: str = "path",
               landmark_column: str = "landmark", strict: bool = False) -> Catalogue:
    """Reads a comma-separated table with one line per photograph.

    Args:
        table: The csv file; relative paths in it start from its folder.
        id_column: The column of unique names.
        path_column: The column of files.
        landmark_column: The column of landmarks.
        strict: Refuse a listed picture that has no file; otherwise it goes into `missing`.

    Raises:
        UserError: The table or a column is missing, an id occurs twice, or (strict) a picture has no file.
    """
    folder = os.path.dirname(os.path.abspath(table))
    entries, missing = [], []
    for row in read_csv(table, [id_column, path_column, landmark_column]):
        path = os.path.normpath(os.path.join(folder, row[path_column]))
        if os.path.isfile(path):
            entries.append(Entry(row[id_column], path, row[landmark_column]))
        elif strict:
            raise UserError(f"a file for each line of {table}", f"{row[id_column]} without one at {path}",
                            "Mend the table or drop --strict.")
        else:
            missing.append(row[id_column])
    if missing:
        logging.warning("%s pictures listed in %s have no file, first %s", f"{len(missing):,}", table, missing[0])
    return Catalogue(tuple(entries), os.path.abspath(table), tuple(missing))
