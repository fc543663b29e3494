"""Selection of landmarks, exact duplicates, and the splits of an image list: train/validation/test, landmarks kept out."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from absl import logging

from landmark_zoo.core.errors import UserError, notify
from landmark_zoo.core.files import read_csv, sha256, write_csv
from landmark_zoo.core.parallel import progress
from landmark_zoo.data.datasets.google_landmarks import overlapping_landmarks
from landmark_zoo.data.datasets.image_list import ImageEntry, ImageList, train_validation_split

DUPLICATES = "duplicates.csv"
_TAIL_BYTES = 4096
MIN_LANDMARKS = 8  # with two images or more, of which any are kept out of training
MIN_KEPT_OUT_IMAGES, MAX_KEPT_OUT_IMAGES = 20, 5000  # below which none, after which no more landmarks are kept out


def select_landmarks(images: ImageList, root: str | Path, *, exclude_benchmark: str | None = None,
                     exclude: str | None = None, min_count: int = 1, top_classes: int | None = None) -> ImageList:
    """Returns the images of selected landmarks; the filters apply in the order of the arguments.

    Args:
        images: All images.
        root: Folder of the collection.
        exclude_benchmark: Folder with index.csv and test.csv, whose images' landmarks are left out.
        exclude: "rgldv2" to leave out the landmarks that show places of Oxford5k and Paris6k (`overlapping_landmarks`), or
            path of a csv file with a column landmark_id to leave out.
        min_count: Minimum number of images of a landmark.
        top_classes: Number of landmarks, those with the most images; None for all.

    Raises:
        UserError: A list is missing or broken, a landmark of `exclude` has no image, or nothing is left.
    """
    listed = {row["landmark_id"] for row in read_csv(exclude, ["landmark_id"])} if exclude not in (None, "rgldv2") else set()
    if exclude not in (None, "rgldv2"):
        check_matches(listed, images.landmark_counts, exclude, "landmark")
    if exclude_benchmark:
        ids = {row["id"] for name in ("index.csv", "test.csv") for row in read_csv(Path(exclude_benchmark, name), ["id"])}
        images = _without(images, images.landmarks_of(ids), f"have images in {exclude_benchmark}")
    if exclude == "rgldv2":
        images = _without(images, overlapping_landmarks(root), "show places of Oxford5k and Paris6k")
    elif exclude:
        images = _without(images, listed, f"are listed in {exclude}")
    images = images.with_min_count(min_count)
    if top_classes:
        images = images.with_most_images(top_classes)
    counts = images.landmark_counts
    logging.info("%d images of %d landmarks, %d of them with one image", len(images), len(counts),
                 sum(count == 1 for count in counts.values()))
    return images


def _without(images: ImageList, landmarks: set[str], reason: str) -> ImageList:
    kept = images.without_landmarks(landmarks)
    logging.info("%d landmarks %s and are left out, with %d images", len(landmarks), reason, len(images) - len(kept))
    if len(kept) == len(images):
        notify(f"No landmark here is among those that {reason}")
    return kept


def check_matches(listed: Collection[str], known: Collection[str], source: str | Path, what: str) -> None:
    """Refuses a list that names nothing, or anything that is not there.

    Args:
        listed: Names in the list.
        known: Names that are there.
        source: The list, for the error.
        what: Kind of the names, for the error.

    Raises:
        UserError: An empty list, or names that match nothing; they are named.
    """
    if not listed:
        raise UserError(f"a {what} in {source}", "none", "Name one, or leave the list out.")
    unknown = sorted(set(listed) - set(known))
    if unknown:
        raise UserError(f"names of {what}s that are here in {source}",
                        f"{len(unknown):,} others: {', '.join(unknown[:5])}{' ...' if len(unknown) > 5 else ''}",
                        "Remove them from the list, or mend their names.")


def read_landmarks(path: str | Path, ids: Collection[str], column: str) -> dict[str, str]:
    """Reads the landmarks of images from a table; images without a row and rows without an image are said at the end.

    Args:
        path: Csv file with a column id and one of landmarks.
        ids: Images whose landmarks are wanted.
        column: Name of the column of landmarks.

    Returns:
        Image id to landmark, of all rows.

    Raises:
        UserError: The table is missing or broken, names an image twice, or none of these images.
    """
    landmarks: dict[str, str] = {}
    for row in read_csv(path, ["id", column]):
        if landmarks.setdefault(row["id"], row[column]) != row[column]:
            raise UserError(f"one landmark for each image in {path}", f"two for {row['id']}", "Remove one of the rows.")
    without, unknown = sorted(set(ids) - set(landmarks)), sorted(set(landmarks) - set(ids))
    if len(without) == len(set(ids)):
        raise UserError(f"rows of the {len(without):,} images in {path}",
                        f"{f'{len(unknown):,} of others, first {unknown[0]}' if unknown else 'none'}", "Check the ids.")
    for names, text in ((without, "images have no row"), (unknown, "rows name no image")):
        if names:
            notify(f"{len(names):,} {text} in {path}, first {names[0]}")
    return landmarks


def train_validation_test_split(images: ImageList, validation_fraction: float, test_fraction: float,
                                seed: int) -> dict[str, ImageList | None]:
    """Splits the images of each landmark; a landmark with one image stays in training (see `train_validation_split`).

    Args:
        images: All images.
        validation_fraction: Fraction of each landmark's images for validation.
        test_fraction: Fraction of each landmark's images for the test split; 0 for no test split.
        seed: Random seed of the split.

    Returns:
        "train", "validation" and, with a test fraction, "test"; None where no image is left for a split.

    Raises:
        UserError: The fractions leave nothing for training.
    """
    if validation_fraction + test_fraction >= 1:
        raise UserError("--validation_fraction and --test_fraction below 1 together",
                        f"{validation_fraction} and {test_fraction}", "Lower one.")
    if not test_fraction:
        return dict(zip(("train", "validation"), train_validation_split(images, validation_fraction, seed), strict=True))
    rest, test = train_validation_split(images, test_fraction, seed)
    train, validation = train_validation_split(rest, validation_fraction / (1 - test_fraction), seed)
    return {"train": train, "validation": validation, "test": test}


def keep_out_landmarks(images: ImageList, fraction: float, seed: int) -> tuple[ImageList, ImageList | None]:
    """Keeps whole landmarks out of training, so that their images can be ranked against each other while it goes on.

    Of the n landmarks with two images or more, the n * fraction (rounded half up; two where that is one, which alone cannot
    be mistaken for another) with the smallest SHA-256 of seed and landmark are kept out, until they hold
    `MAX_KEPT_OUT_IMAGES`, so that large collections lose next to nothing, but two at least. None where n is below
    `MIN_LANDMARKS` (each would be more than an eighth of what is learned from), where none would be kept out, or where they
    hold fewer than `MIN_KEPT_OUT_IMAGES` (one image would move the mean by more than five points).

    Args:
        images: All images, without those of benchmarks.
        fraction: Fraction of the landmarks, 0 <= fraction < 1; 0 for none.
        seed: Random seed of the choice.

    Returns:
        The other images, and those of the landmarks that are kept out, both in the order of `images`; None for none.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"Expected a fraction of at least 0 and below 1; received {fraction}.")
    if not fraction:
        return images, None
    counts = {landmark: count for landmark, count in images.landmark_counts.items() if count > 1}
    number = int(len(counts) * fraction + 0.5)
    number, kept_out = max(number, 2) if number else 0, {}
    for landmark in sorted(counts, key=lambda name: hashlib.sha256(f"landmark/{seed}/{name}".encode()).digest())[:number]:
        if len(kept_out) >= 2 and sum(kept_out.values()) >= MAX_KEPT_OUT_IMAGES:
            break
        kept_out[landmark] = counts[landmark]
    if len(counts) < MIN_LANDMARKS or not number or sum(kept_out.values()) < MIN_KEPT_OUT_IMAGES:
        logging.info("No landmark is kept out of training: of the %d with two images or more (%d are needed), %g are %d "
                     "with %d images (2 with %d are needed).", len(counts), MIN_LANDMARKS, fraction, number,
                     sum(kept_out.values()), MIN_KEPT_OUT_IMAGES)
        return images, None
    logging.info("%d of %d landmarks are kept out of training, with %d of %d images; --validation_landmarks=0 keeps none "
                 "out.", len(kept_out), len(images.landmark_counts), sum(kept_out.values()), len(images))
    return images.without_landmarks(kept_out), replace(
        images, entries=tuple(entry for entry in images if entry.landmark_id in kept_out), missing=())


@dataclass(frozen=True)
class Duplicate:
    """An image whose file is a byte-identical copy of an earlier one.

    Attributes:
        entry: Entry of the copy.
        first: The first image with the same bytes.
    """

    entry: ImageEntry
    first: ImageEntry

    @property
    def reason(self) -> str:
        """Text for the reason column of `duplicates.csv`."""
        landmark = "the same landmark" if self.entry.landmark_id == self.first.landmark_id else (
            f"another landmark, {self.first.landmark_id}")
        return f"same file as {self.first.id} of {landmark}"


def find_duplicates(entries: Iterable[ImageEntry]) -> list[Duplicate]:
    """Returns the images whose files have the same SHA-256 as an earlier one.

    Few files are read whole: only those that share their size and their last 4 kB with another. Unreadable files are
    ignored.

    Args:
        entries: Images; of equal ones the first is the original.

    Returns:
        The copies, in the order of `entries`.
    """
    entries = list(entries)
    candidates = _groups_by(os.path.getsize, progress(entries, "looking for duplicates"))
    for key in (_tail, sha256):
        candidates = [group for candidate in candidates for group in _groups_by(key, candidate)]
    places = {entry.id: place for place, entry in enumerate(entries)}
    copies = [Duplicate(entry, group[0]) for group in candidates for entry in group[1:]]
    return sorted(copies, key=lambda copy: places[copy.entry.id])


def _groups_by(key: Callable[[str], Hashable], entries: Iterable[ImageEntry]) -> list[list[ImageEntry]]:
    groups = defaultdict(list)
    for entry, value in _readable(key, entries):
        groups[value].append(entry)
    return [group for group in groups.values() if len(group) > 1]


def _readable(key: Callable[[str], Hashable], entries: Iterable[ImageEntry]) -> Iterator[tuple[ImageEntry, Hashable]]:
    for entry in entries:
        try:
            value = key(entry.path)
        except OSError:  # write_records will list it with the reason
            continue
        yield entry, value


def _tail(path: str) -> bytes:
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - _TAIL_BYTES))
        return file.read()


def list_duplicates(splits: dict[str, ImageList | None], output: Path, skip: bool) -> dict[str, ImageList | None]:
    """Writes `duplicates.csv` (id, path, reason) about all splits together.

    The original is the first in the order of the splits, so that a copy never stays in validation of what is in training.

    Args:
        splits: Name to images, or None for an empty split.
        output: Folder of the list, which is written only if there are copies.
        skip: Leave the copies out.

    Returns:
        The splits, with `skip` without copies.
    """
    copies = find_duplicates(entry for images in splits.values() if images for entry in images)
    logging.info("%d images are copies of others%s", len(copies), " and are left out" if copies and skip else "")
    if copies:
        write_csv(output / DUPLICATES, ["id", "path", "reason"],
                  ([copy.entry.id, copy.entry.path, copy.reason] for copy in copies))
    if not skip:
        return splits
    ids = {copy.entry.id for copy in copies}
    return {name: images.without_ids(ids) if images and any(entry.id not in ids for entry in images) else None
            for name, images in splits.items()}
