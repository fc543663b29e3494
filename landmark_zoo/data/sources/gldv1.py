"""Google Landmarks v1: a list of addresses."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_csv
from landmark_zoo.data.download.picture_address import PictureAddress
from landmark_zoo.data.gldv1 import NO_LANDMARK
from landmark_zoo.data.sources.source import Source

_FOLDER = "gldv1"


def gldv1(name: str = "gldv1") -> Source:
    """Returns the collection, which has nothing to fetch but the photographs that `train.csv` lists.

    Kaggle served the list (kaggle.com/google/google-landmarks-dataset) and has withdrawn it; whoever has a copy puts it
    into the folder.
    """
    return Source(name, _FOLDER, ())


def gldv1_addresses(root: Path, top_classes: int | None = None, min_count: int = 1) -> Iterator[PictureAddress]:
    """Yields the addresses of `train.csv` (id, url, landmark_id), of some landmarks or all.

    Args:
        root: The folder with the list.
        top_classes: Only the landmarks that have the most lines.
        min_count: Only landmarks with so many lines.

    Raises:
        UserError: No list, or a broken one.
    """
    path = root / "train.csv"
    if not path.is_file():
        raise UserError(f"the list of Google Landmarks v1 (id, url, landmark_id) at {path}", "none",
                        "It is not published any more: put a copy there.")
    counts = Counter(row["landmark_id"] for row in read_csv(path, ["id", "url", "landmark_id"]))
    del counts[""], counts[NO_LANDMARK]
    kept = sorted((name for name in counts if counts[name] >= min_count), key=lambda name: (-counts[name], name))
    wanted = set(kept[:top_classes])
    for row in read_csv(path, ["id", "url", "landmark_id"]):
        if row["landmark_id"] in wanted:
            yield PictureAddress(row["id"], row["url"])
