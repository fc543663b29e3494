"""The photographs of a benchmark, to set beside those of training."""

from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.data.analysis.file_photographs import file_photographs
from landmark_zoo.data.analysis.photographs import Photographs
from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.locator import ImageLocator

_PARTS = {"index": ("index.csv", "index_v2.1.csv"), "queries": ("test.csv", "test_v2.1.csv")}
_LANDMARKS = ("index_image_to_landmark.csv", "index_image_to_landmark_v2.1.csv")


def read_benchmark(folder: str | Path, photos: str | Path) -> list[Photographs]:
    """Reads the lists `index.csv` and `test.csv` (id) and, where it is there, `index_image_to_landmark.csv`.

    Where there are folders `<photos>/index` and `<photos>/test`, pictures are looked for there only: an id of the index and
    an equal one of the training set are two photographs in Google Landmarks v2.

    Args:
        folder: With the lists, which may carry the release in their names.
        photos: The folder that holds the photographs.

    Returns:
        The parts "index" and "queries"; a listed picture without a file is in `missing`.

    Raises:
        UserError: A list is missing or broken, or none of its pictures has a file.
    """
    folder, photos = Path(folder), Path(photos)
    table = _found(folder, _LANDMARKS)
    landmark_of = {row["id"]: row["landmark_id"] for row in read_csv(table, ["id", "landmark_id"])} if table else {}
    parts = []
    for part, names in _PARTS.items():
        path = _found(folder, names)
        if path is None:
            raise UserError(f"{names[0]} in {folder}", "none", "Check --benchmark.")
        below = photos / names[0].removesuffix(".csv")
        locator = ImageLocator(below if below.is_dir() else photos)
        entries, missing = [], []
        for image_id in dict.fromkeys(row["id"] for row in read_csv(path, ["id"])):
            try:
                entries.append(Entry(image_id, str(locator.locate(image_id)), landmark_of.get(image_id, "")))
            except UserError:
                missing.append(image_id)
        if not entries:
            raise UserError(f"photographs of {path} below {locator.root}", "none", "Name their folder with --photos.")
        parts.append(file_photographs(part, entries, missing))
    return parts


def _found(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
