"""Image lists: one entry per image file and landmark, filters, and the train/validation split."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from landmark_zoo.core.errors import UserError, notify
from landmark_zoo.data.datasets.image_formats import check_utf8


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One image file and the landmark that it shows.

    Attributes:
        id: Image id, unique in its list.
        path: Path of the file.
        landmark_id: Landmark as the source names it.
    """

    id: str
    path: str
    landmark_id: str


@dataclass(frozen=True)
class ImageList:
    """Images with their landmarks; never empty, no id twice.

    Example:
        >>> images = ImageList([ImageEntry("1", "a/1.jpg", "a"), ImageEntry("2", "a/2.jpg", "a"),
        ...                     ImageEntry("3", "b/3.jpg", "b")], source="two folders")
        >>> len(images), images.landmark_counts["a"]
        (3, 2)
        >>> [entry.id for entry in images.with_min_count(2)]
        ['1', '2']

    Attributes:
        entries: Images in the order of the source.
        source: Description of the source, for the manifest.
        missing: Ids that the source lists but that have no file.

    Raises:
        UserError: No entry, an id that occurs twice, an empty id or landmark, or a path that is not UTF-8.
    """

    entries: tuple[ImageEntry, ...]
    source: str
    missing: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "entries", tuple(self.entries))
        if not self.entries:
            raise UserError(f"photographs in {self.source}", "none", "Check the path and the filters.")
        seen: dict[str, ImageEntry] = {}
        for entry in self.entries:
            check_utf8(entry.path)
            if not entry.id or not entry.landmark_id:
                raise UserError(f"an id and a landmark for {entry.path}", f"{entry.id!r} and {entry.landmark_id!r}",
                                f"Mend that line of {self.source}.")
            if entry.id in seen:
                raise UserError(f"each id once in {self.source}",
                                f"{entry.id!r} for {seen[entry.id].path} and {entry.path}", "Rename or remove one.")
            seen[entry.id] = entry

    @property
    def landmark_counts(self) -> Counter[str]:
        """Number of images of each landmark."""
        return Counter(entry.landmark_id for entry in self.entries)

    def landmarks_of(self, ids: Collection[str]) -> set[str]:
        """Returns the landmarks that the images named `ids` show; unknown ids are ignored."""
        ids = set(ids)
        return {entry.landmark_id for entry in self.entries if entry.id in ids}

    def with_min_count(self, minimum: int) -> "ImageList":
        """Returns the images of the landmarks that have at least `minimum` images."""
        counts = self.landmark_counts
        return replace(self, entries=tuple(e for e in self.entries if counts[e.landmark_id] >= minimum))

    def with_most_images(self, landmarks: int) -> "ImageList":
        """Returns the images of the `landmarks` landmarks with the most images; ties are broken by name."""
        counts = self.landmark_counts
        kept = set(sorted(counts, key=lambda name: (-counts[name], name))[:landmarks])
        return replace(self, entries=tuple(e for e in self.entries if e.landmark_id in kept))

    def without_landmarks(self, landmark_ids: Collection[str]) -> "ImageList":
        """Returns the images of all landmarks but these."""
        landmark_ids = set(landmark_ids)
        return replace(self, entries=tuple(e for e in self.entries if e.landmark_id not in landmark_ids))

    def without_ids(self, ids: Collection[str]) -> "ImageList":
        """Returns all images but these."""
        ids = set(ids)
        return replace(self, entries=tuple(e for e in self.entries if e.id not in ids))

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[ImageEntry]:
        return iter(self.entries)


def train_validation_split(images: ImageList, fraction: float, seed: int) -> tuple[ImageList, ImageList | None]:
    """Splits a list into training and validation, landmark by landmark.

    Of a landmark with n images, the n * fraction (rounded half up, but never all n) with the smallest SHA-256 of seed and
    id go to validation. A landmark with one image therefore stays in training, and neither the order of the entries nor
    other landmarks matter.

    Args:
        images: All images.
        fraction: Fraction of each landmark's images for validation, 0 <= fraction < 1.
        seed: Random seed of the split.

    Returns:
        Training and validation, both in the order of `images`; None where no image is left for validation.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"Expected a fraction of at least 0 and below 1; received {fraction}.")
    by_landmark: dict[str, list[ImageEntry]] = defaultdict(list)
    for entry in images:
        by_landmark[entry.landmark_id].append(entry)
    chosen: set[str] = set()
    for entries in by_landmark.values():
        count = min(int(len(entries) * fraction + 0.5), len(entries) - 1)
        entries.sort(key=lambda entry: hashlib.sha256(f"split/{seed}/{entry.id}".encode()).digest())
        chosen.update(entry.id for entry in entries[:count])
    if not chosen:
        return images, None
    return images.without_ids(chosen), replace(
        images, entries=tuple(entry for entry in images if entry.id in chosen))


def report_missing(missing: Sequence[str], listed: int, where: str | Path, strict: bool) -> None:
    """Says at the end of the command how many listed images have no file, or refuses them.

    Args:
        missing: Ids of the images without a file.
        listed: Number of listed images.
        where: List or folder, for the message.
        strict: Raise instead.

    Raises:
        UserError: (strict) an image has no file.
    """
    if missing and strict:
        raise UserError(f"a file for each of the {listed:,} listed images of {where}",
                        f"{len(missing):,} without one, first {missing[0]}", "Fetch or unpack them, or drop --strict.")
    if missing:
        notify(f"{len(missing):,} of {listed:,} listed images of {where} have no file, first {missing[0]}")
