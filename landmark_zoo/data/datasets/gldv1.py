"""Google Landmarks v1: list of addresses, layout and image list.

1,225,029 addresses of 14,951 landmarks, many of them dead. Kaggle (google/google-landmarks-dataset) has withdrawn the
list: a copy has to be put at `gldv1/train.csv`. Reference: Noh et al., Large-Scale Image Retrieval with Attentive Deep
Local Features, ICCV 2017.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative, read_csv
from landmark_zoo.core.notices import notify
from landmark_zoo.data.datasets.image_formats import file_name
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList, report_missing
from landmark_zoo.data.download.fetch_images import ImageUrl
from landmark_zoo.data.download.remote_files import Source

NO_LANDMARK = "None"


def gldv1(name: str = "gldv1") -> Source:
    """Returns the download source: no files of its own, only the addresses of `gldv1_urls`."""
    return Source(name, "gldv1", ())


def gldv1_urls(root: Path, top_classes: int | None = None, min_count: int = 1) -> Iterator[ImageUrl]:
    """Yields the image addresses of `train.csv` (id, url, landmark_id), of some landmarks or all.

    Args:
        root: Folder with the list.
        top_classes: Number of landmarks, those with the most lines; None for all.
        min_count: Minimum number of lines of a landmark.

    Raises:
        UserError: The list is missing or broken.
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
            yield ImageUrl(row["id"], row["url"])


def read_gldv1(root: str | Path, *, strict: bool = False) -> ImageList:
    """Reads `train.csv` (id, landmark_id) and the images that were fetched, `train/<id>.jpg`.

    Lines whose landmark is "None" or empty are left out and counted.

    Args:
        root: Folder that holds the list and `train/`.
        strict: Refuse a listed image that has no file; otherwise it goes into `missing`, the ordinary case here.

    Returns:
        The images, sorted by id.

    Raises:
        UserError: The list is missing or broken, names an id twice, or (strict) an image has no file.
    """
    root = Path(os.path.abspath(root))
    folder = root / "train"
    files = set(os.listdir(folder)) if folder.is_dir() else set()
    entries, missing, without = [], [], []
    for row in read_csv(root / "train.csv", ["id", "landmark_id"]):
        if row["landmark_id"] in ("", NO_LANDMARK):
            without.append(row["id"])
            continue
        if (name := file_name(row["id"])) in files:
            entries.append(ImageEntry(row["id"], os.path.join(folder, name), row["landmark_id"]))
        else:
            missing.append(check_relative(row["id"], root / "train.csv"))
    if without:
        notify(f"{len(without):,} rows of {root / 'train.csv'} name no landmark and are left out, first {without[0]}")
    report_missing(missing, len(missing) + len(entries), root, strict)
    return ImageList(tuple(sorted(entries, key=lambda entry: entry.id)), f"{root} (GLDv1)", tuple(missing))
