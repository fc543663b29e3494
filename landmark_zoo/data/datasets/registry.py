"""Datasets by name: what is downloaded and how the image list is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from absl import logging

from landmark_zoo.core.errors import UserError, notify
from landmark_zoo.core.files import lock_directory
from landmark_zoo.core.registry import Registry
from landmark_zoo.data.datasets.folder import TABLE_COLUMNS, read_folder, read_table
from landmark_zoo.data.datasets.google_landmarks import gldv1, gldv2, gldv2_benchmark, read_gldv1, read_gldv2
from landmark_zoo.data.datasets.image_list import ImageList
from landmark_zoo.data.datasets.oxford_paris import oxford5k, paris6k, revisited, revisitop1m
from landmark_zoo.data.datasets.sfm120k import sfm120k
from landmark_zoo.data.download.fetch import Source
from landmark_zoo.data.download.fetch_files import estimate, fetch_files, pending
from landmark_zoo.data.download.fetch_images import ImageUrl, fetch_images
from landmark_zoo.data.download.http import RetryPolicy


@dataclass(frozen=True)
class Dataset:
    """A named collection of images.

    Attributes:
        source: Function from the name to the files that are downloaded; None for the user's own images.
        reader: Function from a path (or, of "folder", a list of paths) to the image list; None for benchmarks, which
            `evaluation` reads, and for datasets with splits of their own.
        options: Options of `read_images` that the reader takes.
    """

    source: Callable[[str], Source] | None = None
    reader: Callable[..., ImageList] | None = None
    options: tuple[str, ...] = ("strict",)


DATASETS: Registry[Dataset] = Registry("dataset")
DATASETS.add("folder", Dataset(reader=read_folder, options=()))
DATASETS.add("table", Dataset(reader=read_table, options=("columns", "strict")))
DATASETS.add("gldv2_clean", Dataset(gldv2, partial(read_gldv2, clean=True)))
DATASETS.add("gldv2", Dataset(gldv2, read_gldv2, ("clean", "strict")))
DATASETS.add("gldv2_benchmark", Dataset(gldv2_benchmark))
DATASETS.add("gldv1", Dataset(gldv1, read_gldv1))
DATASETS.add("oxford5k", Dataset(oxford5k))
DATASETS.add("paris6k", Dataset(paris6k))
DATASETS.add("roxford5k", Dataset(revisited))
DATASETS.add("rparis6k", Dataset(revisited))
DATASETS.add("revisitop1m", Dataset(revisitop1m))
DATASETS.add("sfm120k", Dataset(sfm120k))


def read_images(dataset: str, paths: Sequence[str | Path], *, clean: bool = False,
                columns: Sequence[str] = TABLE_COLUMNS, strict: bool = False) -> ImageList:
    """Reads the image list of a dataset.

    Example:
        >>> import tempfile
        >>> root = tempfile.TemporaryDirectory()
        >>> Path(root.name, "petra").mkdir()
        >>> Path(root.name, "petra", "1.jpg").touch()
        >>> read_images("folder", [root.name]).entries[0].landmark_id
        'petra'

    Args:
        dataset: "folder", "table", "gldv1", "gldv2" or "gldv2_clean".
        paths: The dataset's folder (of "folder" one or more), or the csv file of "table".
        clean: Take the cleaned list of "gldv2".
        columns: Names of the id, path and landmark columns of "table".
        strict: Refuse a listed image that has no file.

    Raises:
        UserError: An unknown dataset, several paths where one is needed, or whatever the reader refuses.
    """
    found = DATASETS[dataset]
    if found.reader is None:
        readable = ", ".join(name for name in DATASETS if DATASETS[name].reader)
        raise UserError(f"a dataset with one image list ({readable})", repr(dataset), "Use its own reader.")
    if dataset == "folder":
        return found.reader(paths)
    if len(paths) != 1:
        raise UserError(f"one --photos for source {dataset}", f"{len(paths)}", "Name one.")
    options = {"clean": clean, "columns": columns, "strict": strict}
    return found.reader(paths[0], **{name: options[name] for name in found.options})


_IMAGE_BYTES = 300_000


def fetch_collection(source: Source, data_dir: Path, *, addresses: Sequence[ImageUrl] = (), connections: int = 4,
                     timeout: float = 30.0, dry_run: bool = False) -> None:
    """Downloads the files of a source and, where it is a list of addresses, the images.

    Args:
        source: Files to download.
        data_dir: Data folder; nothing is written outside, and with `dry_run` nothing at all.
        addresses: Addresses of single images, kept in `<folder>/train`.
        connections: Number of files downloaded at the same time.
        timeout: Seconds after which a silent or very slow connection is given up.
        dry_run: Print what would be downloaded, and in what time.

    Raises:
        UserError: Files that cannot be had, a full disk, or another command that works in `data_dir`.
    """
    root = data_dir / source.folder
    if dry_run:
        print(f"{source.name}: {estimate(pending(source.files, data_dir))}")
        if addresses:
            absent = sum(not (root / "train" / f"{address.id}.jpg").is_file() for address in addresses)
            print(f"{source.name}: {absent:,} photographs from {len({address.host for address in addresses}):,} servers, "
                  f"about {absent * _IMAGE_BYTES / 1e9:,.1f} GB at a guess of 0.3 MB each")
        return
    with lock_directory(data_dir):
        fetch_files(source.files, data_dir, connections, RetryPolicy(timeout=timeout))
        if addresses:
            fetched = fetch_images(addresses, root / "train", root / "dead.csv",
                                   policy=RetryPolicy(attempts=3, timeout=timeout))
            logging.info("%s images here", f"{fetched.here:,}")
            if fetched.dead or fetched.unanswered:
                notify(f"{fetched.dead:,} dead links ({root / 'dead.csv'}), {fetched.unanswered:,} addresses that did not "
                       "answer: start again to ask them again")
