"""From what a user names to the photographs in it."""

from collections.abc import Sequence
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.analysis.file_photographs import file_photographs
from landmark_zoo.data.analysis.photographs import Photographs
from landmark_zoo.data.analysis.record_photographs import record_photographs
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.gldv2 import read_gldv2
from landmark_zoo.data.manifest import MANIFEST, read_manifest
from landmark_zoo.data.table import read_table

SPLITS = ("train", "validation", "test")
COLUMNS = ("id", "path", "landmark")


def read_data(paths: Sequence[str | Path], clean: bool = False, columns: Sequence[str] = COLUMNS) -> list[Photographs]:
    """Finds out what the paths are and returns the photographs, one part or, of records, up to three.

    - A folder with `train/manifest.json`, `validation/manifest.json` or `test/manifest.json`, or with `manifest.json`, holds
      records.
    - A folder with `train.csv` (or `train_v2.1.csv`) is laid out as Google Landmarks v2.
    - Any other folder, or several, have one folder per landmark.
    - A csv file lists photographs.

    Args:
        paths: One path, or several folders of folders.
        clean: Of Google Landmarks v2 take the cleaned list.
        columns: Of a csv file: the columns of ids, files and landmarks.

    Raises:
        UserError: Nothing there, or nothing that can be read.
    """
    paths = [Path(path) for path in paths]
    if len(paths) != 1:
        return [_part(read_folder(paths))]
    path = paths[0]
    if path.suffix.lower() == ".csv":
        return [_part(read_table(path, **_column_names(columns)))]
    if not path.is_dir():
        raise UserError(f"a folder or a csv file at {path}", "a file" if path.exists() else "nothing", "Check --data.")
    records = [folder for folder in (path, *(path / split for split in SPLITS)) if (folder / MANIFEST).is_file()]
    if records:
        return [record_photographs(read_manifest(folder)) for folder in records]
    if any((path / name).is_file() for name in ("train.csv", "train_v2.1.csv")):
        return [_part(read_gldv2(path, clean=clean))]
    return [_part(read_folder([path]))]


def _part(catalogue: Catalogue) -> Photographs:
    return file_photographs("train", catalogue.entries, catalogue.missing)


def _column_names(columns: Sequence[str]) -> dict[str, str]:
    if len(columns) != len(COLUMNS):
        raise UserError(f"three columns ({', '.join(COLUMNS)})", ",".join(columns), "Name three.")
    return dict(zip(("id_column", "path_column", "landmark_column"), columns, strict=True))
