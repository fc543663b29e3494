"""Google Landmarks v2 and v1: archives, layout, image lists, and the landmarks v2 shares with Oxford and Paris.

References: Weyand et al., Google Landmarks Dataset v2, CVPR 2020; github.com/cvdfoundation/google-landmark. Names, number
and round sizes of the archives are those of that page; the sizes of the lists are rough. Noh et al., Large-Scale Image
Retrieval with Attentive Deep Local Features, ICCV 2017, for v1: 1,225,029 addresses of 14,951 landmarks, many of them dead.
Kaggle (google/google-landmarks-dataset) has withdrawn their list: a copy has to be put at `gldv1/train.csv`.
"""

import itertools
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from landmark_zoo.core.errors import UserError, notify
from landmark_zoo.core.files import check_relative, read_csv
from landmark_zoo.data.datasets.image_formats import file_name
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList, report_missing
from landmark_zoo.data.download.fetch import RemoteFile, Source
from landmark_zoo.data.download.fetch_images import ImageUrl

RGLDV2_LIST = "rgldv2_clean.csv"
RGLDV2_URL = "https://github.com/dealicious-inc/RGLDv2-clean"

_BASE = "https://s3.amazonaws.com/google-landmark"
_FOLDER = "gldv2"
_ARCHIVES = {"train": (500, 1_000_000_000), "index": (100, 850_000_000), "test": (20, 500_000_000)}
_LIST_BYTES = {"train.csv": 525_000_000, "train_clean.csv": 30_000_000, "train_attribution.csv": 1_000_000_000}
_SMALL_LIST_BYTES = 15_000_000


def gldv2(name: str = "gldv2") -> Source:
    """Returns the training images with their lists: 500 archives of about 1 GB that unpack to `train/a/b/c/<id>.jpg`.

    Args:
        name: "gldv2" or "gldv2_clean": the same files, of which the second reads fewer images.
    """
    lists = ("train.csv", "train_clean.csv", "train_attribution.csv", "train_label_to_category.csv",
             "train_label_to_hierarchical.csv")
    return Source(name, _FOLDER, (*(_remote_list("metadata", one) for one in lists), *_remote_archives("train")))


def gldv2_benchmark(name: str = "gldv2_benchmark") -> Source:
    """Returns index images and queries with their solutions: 100 archives of index images, 20 of queries.

    The landmark ids of the index are not those of the training lists.
    """
    lists = ("index.csv", "test.csv", "index_image_to_landmark.csv", "index_label_to_category.csv",
             "index_label_to_hierarchical.csv")
    solutions = ("recognition_solution_v2.1.csv", "retrieval_solution_v2.1.csv")
    return Source(name, _FOLDER, (*(_remote_list("metadata", one) for one in lists),
                                  *(_remote_list("ground_truth", one) for one in solutions),
                                  *_remote_archives("index"), *_remote_archives("test")))


def _remote_list(folder: str, name: str) -> RemoteFile:
    return RemoteFile(f"{_BASE}/{folder}/{name}", f"{_FOLDER}/{name}", _LIST_BYTES.get(name, _SMALL_LIST_BYTES))


def _remote_archives(split: str) -> list[RemoteFile]:
    count, size = _ARCHIVES[split]
    names = [f"images_{number:03d}" for number in range(count)]
    return [RemoteFile(f"{_BASE}/{split}/{name}.tar", f"{_FOLDER}/.archives/{split}/{name}.tar", size,
                       md5_url=f"{_BASE}/md5sum/{split}/md5.{name}.txt", unpack_to=f"{_FOLDER}/{split}") for name in names]


def gldv2_path(root: str | Path, image_id: str) -> str:
    """Returns the path of an image in GLDv2's layout: `root/a/b/c/<id>.jpg`, a, b, c being the id's first characters.

    Raises:
        UserError: An id that leads out of `root`.
    """
    return os.path.join(root, *check_relative(image_id, f"the list of images of {root}")[:3], file_name(image_id))


def gldv2_list(root: str | Path, name: str) -> Path | None:
    """Returns the path of a list, `<name>.csv` or with the release `<name>_v2.1.csv`; None if neither exists."""
    paths = Path(root, f"{name}.csv"), Path(root, f"{name}_v2.1.csv")
    return next((path for path in paths if path.is_file()), None)


def read_gldv2(root: str | Path, *, clean: bool = False, strict: bool = False) -> ImageList:
    """Reads `train.csv` (id, landmark_id), or of it what `train_clean.csv` (landmark_id, images) keeps.

    Each folder of images is listed once; no image file is looked up by itself.

    Args:
        root: Folder that holds the lists and `train/`.
        clean: Take the cleaned list of 1,580,470 images of 81,313 landmarks instead of all.
        strict: Refuse a listed image that has no file; otherwise it goes into `missing`.

    Returns:
        The images, sorted by id.

    Raises:
        UserError: A list is missing or broken, the clean list names an id that the full list does not know, or (strict)
            an image has no file.
    """
    root = Path(os.path.abspath(root))
    landmarks = _clean_landmarks(root) if clean else _all_landmarks(root)
    entries, missing = [], []
    for prefix, ids in itertools.groupby(sorted(landmarks), key=lambda image_id: image_id[:3]):
        folder = os.path.join(root, "train", *prefix)
        names = set(os.listdir(folder)) if os.path.isdir(folder) else ()
        for image_id in ids:
            if file_name(image_id) in names:
                entries.append(ImageEntry(image_id, os.path.join(folder, file_name(image_id)), landmarks[image_id]))
            else:
                missing.append(image_id)
    report_missing(missing, len(landmarks), root, strict)
    return ImageList(tuple(entries), f"{root} ({'clean' if clean else 'full'} list)", tuple(missing))


def _all_landmarks(root: Path) -> dict[str, str]:
    path = _existing_list(root, "train")
    landmarks: dict[str, str] = {}
    for row in read_csv(path, ["id", "landmark_id"]):
        if row["id"] in landmarks:
            raise UserError(f"each id once in {path}", f"{row['id']} twice", "Download the list again.")
        landmarks[check_relative(row["id"], path)] = sys.intern(row["landmark_id"])
    return landmarks


def _clean_landmarks(root: Path) -> dict[str, str]:
    path = _existing_list(root, "train_clean")
    landmarks: dict[str, str] = {}
    for row in read_csv(path, ["landmark_id", "images"]):
        for image_id in row["images"].split():
            if image_id in landmarks:
                raise UserError(f"each id once in {path}", f"{image_id} twice", "Download the list again.")
            landmarks[image_id] = row["landmark_id"]
    full = _existing_list(root, "train")
    unknown = set(landmarks)
    unknown.difference_update(row["id"] for row in read_csv(full, ["id"]))
    if unknown:
        raise UserError(f"every id of {path.name} in {full}", f"{len(unknown):,} others, first {min(unknown)}",
                        "Take both lists from one release.")
    return landmarks


def _existing_list(root: Path, name: str) -> Path:
    path = gldv2_list(root, name)
    if path is None:
        raise UserError(f"{name}.csv or {name}_v2.1.csv in {root}", "neither", "Check the folder.")
    return path


def overlapping_landmarks(root: str | Path) -> set[str]:
    """Returns the landmarks of the clean list that show places of Oxford5k and Paris6k, as RGLDv2-clean knows them.

    36 of the 70 queries of ROxford and 38 of those of RParis show a landmark of GLDv2-clean; the revised list has 17
    landmarks (1,565 images) fewer. Its authors offer it behind a web form, so it is not fetched here. Its format
    could not be checked: expected is that of `train_clean.csv` (a column landmark_id). Landmarks outside the clean list
    were not looked at by its authors.

    Args:
        root: Folder with `train_clean.csv` and `rgldv2_clean.csv`.

    Raises:
        UserError: A list is missing or broken, the revised one names landmarks that the clean one does not know, or
            nothing is left out.
    """
    revised_path = Path(root, RGLDV2_LIST)
    if not revised_path.is_file():
        raise UserError(f"the list RGLDv2-clean at {revised_path}", "none",
                        f"Download it from {RGLDV2_URL} and save it there, in the format of train_clean.csv.")
    clean_path = _existing_list(Path(root), "train_clean")
    clean, revised = ({row["landmark_id"] for row in read_csv(path, ["landmark_id"])} for path in (clean_path, revised_path))
    if not revised <= clean or revised == clean:
        raise UserError(f"landmarks of {clean_path.name}, but not all, in {revised_path}",
                        f"{len(revised - clean):,} others" if revised - clean else "all of them", "Take another copy.")
    return clean - revised


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
