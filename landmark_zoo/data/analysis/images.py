"""Images of folders, tables, records or benchmarks as sequences that are read by number."""

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative, read_csv
from landmark_zoo.data.datasets.folder import TABLE_COLUMNS, read_folder, read_table
from landmark_zoo.data.datasets.google_landmarks import gldv2_list, read_gldv2
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.data.datasets.images import read_bytes
from landmark_zoo.data.examples import parse_example
from landmark_zoo.data.manifest import MANIFEST, VALIDATION_LANDMARKS, Manifest, read_manifest
from landmark_zoo.data.record_index import FRAME_BYTES, read_record_ids, read_record_index

SPLITS = ("train", "validation", "test", VALIDATION_LANDMARKS)
_HEAD_BYTES = FRAME_BYTES - 4  # of a frame, before the data


class Block(NamedTuple):
    """Images that are measured and cached together.

    Attributes:
        start: Number of the first image.
        stop: Number after the last image.
        fingerprint: SHA-256 that changes when one of them changes.
    """

    start: int
    stop: int
    fingerprint: str


@dataclass(frozen=True)
class ImageSplit:
    """Images of one split of a collection, read by number.

    Attributes:
        name: Name of the split: one of `SPLITS`, "index" or "queries".
        ids: Image ids.
        landmarks: Landmark of each image as its source names it, "" if it is unknown.
        blocks: Blocks that cover all images, in order.
        read: Function from the number of an image to its bytes, safe to call in several threads; a missing file is an
            `InvalidImageError`.
        missing: Ids that a list names but that have no file.
    """

    name: str
    ids: Sequence[str]
    landmarks: Sequence[str]
    blocks: Sequence[Block]
    read: Callable[[int], bytes]
    missing: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.ids)


def images_from_files(name: str, entries: Sequence[ImageEntry], missing: Sequence[str] = (),
                      block_size: int = 1024) -> ImageSplit:
    """Returns the images of a list of files.

    Args:
        name: Name of the split.
        entries: Image files.
        missing: Ids that the list names but that have no file.
        block_size: Number of images measured and cached together.
    """
    blocks = [Block(start, min(start + block_size, len(entries)), _fingerprint(entries[start:start + block_size]))
              for start in range(0, len(entries), block_size)]
    return ImageSplit(name, [entry.id for entry in entries], [entry.landmark_id for entry in entries], blocks,
                      lambda number: read_bytes(entries[number].path), missing)


def _fingerprint(entries: Sequence[ImageEntry]) -> str:
    digest = hashlib.sha256()
    for entry in entries:
        try:
            status = os.stat(entry.path)
            version = [status.st_size, status.st_mtime_ns]
        except OSError:
            version = []
        digest.update(json.dumps([entry.id, entry.path, *version]).encode())
    return digest.hexdigest()


def images_from_records(manifest: Manifest) -> ImageSplit:
    """Returns the images of a folder of records, in the order of the records; a record file is a block.

    Raises:
        UserError: A record file is damaged.
    """
    index = read_record_index(manifest)
    landmarks = [manifest.label_map.landmark_id(int(label)) for label in index.label]
    stops = list(itertools.accumulate(shard.examples for shard in manifest.shards))
    blocks = [Block(stop - shard.examples, stop, shard.sha256)
              for stop, shard in zip(stops, manifest.shards, strict=True) if shard.examples]

    def read(number: int) -> bytes:
        with open(manifest.files[index.file[number]], "rb") as file:
            file.seek(int(index.offset[number]) + _HEAD_BYTES)
            return parse_example(tf.constant(file.read(int(index.length[number])))).encoded.numpy()

    return ImageSplit(manifest.split, read_record_ids(manifest), landmarks, blocks, read)


def read_data(paths: Sequence[str | Path], clean: bool = False, columns: Sequence[str] = TABLE_COLUMNS) -> list[ImageSplit]:
    """Reads the images at some paths: one split or, of records, several.

    - A folder with `manifest.json`, or with `train/manifest.json` or that of another of `SPLITS`, holds records.
    - A folder with `train.csv` (or `train_v2.1.csv`) is laid out as Google Landmarks v2.
    - Any other folder, or several, have one folder per landmark.
    - A csv file lists images.

    Args:
        paths: One path, or several folders of folders.
        clean: Take the cleaned list of Google Landmarks v2.
        columns: Names of the id, path and landmark columns of a csv file.

    Raises:
        UserError: Nothing there, or nothing that can be read.
    """
    paths = [Path(path) for path in paths]
    if len(paths) != 1:
        return [_train_split(read_folder(paths))]
    path = paths[0]
    if path.suffix.lower() == ".csv":
        return [_train_split(read_table(path, columns=columns))]
    if not path.is_dir():
        raise UserError(f"a folder or a csv file at {path}", "a file" if path.exists() else "nothing", "Check --data.")
    records = [folder for folder in (path, *(path / split for split in SPLITS)) if (folder / MANIFEST).is_file()]
    if records:
        return [images_from_records(read_manifest(folder)) for folder in records]
    if gldv2_list(path, "train"):
        return [_train_split(read_gldv2(path, clean=clean))]
    return [_train_split(read_folder([path]))]


def _train_split(image_list: ImageList) -> ImageSplit:
    return images_from_files("train", image_list.entries, image_list.missing)


def read_benchmark(folder: str | Path, photos: str | Path) -> list[ImageSplit]:
    """Reads a benchmark's images from `index.csv` and `test.csv` (id) and, if there, `index_image_to_landmark.csv`.

    If there are folders `<photos>/index` and `<photos>/test`, images are looked for there only: an id of the index and
    an equal one of the training set are two images in Google Landmarks v2.

    Args:
        folder: Folder with the lists, which may carry the release in their names.
        photos: Folder that holds the images.

    Returns:
        The splits "index" and "queries"; a listed image without a file is in `missing`.

    Raises:
        UserError: A list is missing or broken, or none of its images has a file.
    """
    folder, photos = Path(folder), Path(photos)
    table = gldv2_list(folder, "index_image_to_landmark")
    landmark_of = {row["id"]: row["landmark_id"] for row in read_csv(table, ["id", "landmark_id"])} if table else {}
    splits = []
    for name, list_name in (("index", "index"), ("queries", "test")):
        path = gldv2_list(folder, list_name)
        if path is None:
            raise UserError(f"{list_name}.csv in {folder}", "none", "Check --benchmark.")
        below = photos / list_name
        locator = ImageLocator(below if below.is_dir() else photos)
        entries, missing = [], []
        for image_id in dict.fromkeys(check_relative(row["id"], path) for row in read_csv(path, ["id"])):
            try:
                entries.append(ImageEntry(image_id, str(locator.locate(image_id)), landmark_of.get(image_id, "")))
            except UserError:
                missing.append(image_id)
        if not entries:
            raise UserError(f"photographs of {path} below {locator.root}", "none", "Name their folder with --photos.")
        splits.append(images_from_files(name, entries, missing))
    return splits
