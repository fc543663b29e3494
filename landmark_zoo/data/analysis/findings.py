"""Findings of an analysis: class balance, near-duplicates, label noise, countries."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from landmark_zoo.core.files import read_csv
from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.label_noise import JudgedImages
from landmark_zoo.data.analysis.near_duplicates import Pairs, near_duplicates


class ClassBalance(NamedTuple):
    """Landmarks sorted by their number of images.

    Attributes:
        landmarks: Names, most images first; ties are broken by name.
        counts: Number of images of each landmark, int64 [K], descending.
    """

    landmarks: tuple[str, ...]
    counts: np.ndarray

    @property
    def head(self) -> int:
        """Number of the most frequent landmarks that together hold half of all images."""
        return int(np.searchsorted(np.cumsum(self.counts), self.counts.sum() / 2) + 1) if len(self.counts) else 0

    def at_most(self, images: int) -> int:
        """Returns the number of landmarks with at most so many images."""
        return int((self.counts <= images).sum())


def class_balance(landmarks: Iterable[str]) -> ClassBalance:
    """Counts the images of each landmark.

    Args:
        landmarks: Landmark of each image; "" (unknown) is ignored.
    """
    counted = sorted(Counter(filter(None, landmarks)).items(), key=lambda item: (-item[1], item[0]))
    return ClassBalance(tuple(name for name, _ in counted), np.array([count for _, count in counted], np.int64))


@dataclass(frozen=True)
class Findings:
    """Results of an analysis, the content of its page.

    Attributes:
        source: Paths that the user named: folders, or a csv file.
        collection: Measured images.
        balance: Class balance of the data, over all listed images that have a file, readable or not.
        pairs: Near-duplicates, as numbers of the collection.
        judged: Label noise; None without embeddings.
        countries: Country of each image of the data, "" if unknown; empty if no table names any.
    """

    source: Sequence[str]
    collection: Collection
    balance: ClassBalance
    pairs: Pairs
    judged: JudgedImages | None = None
    countries: list[str] = field(default_factory=list)


def analyze_collection(source: Sequence[str], collection: Collection, judged: JudgedImages | None = None,
                       country_of: dict[str, str] | None = None) -> Findings:
    """Returns the findings about a measured collection.

    Args:
        source: Paths that the user named: folders, or a csv file.
        collection: Measured images.
        judged: Label noise, if there are embeddings.
        country_of: Image id or landmark to country.
    """
    images = range(collection.data_size)
    rows = np.flatnonzero(collection.readable)
    pairs = near_duplicates(collection.table["hash"][rows], collection.part_of[rows])
    countries = [country_of.get(collection.id(number)) or country_of.get(collection.landmark(number), "")
                 for number in images] if country_of else []
    return Findings(source, collection, class_balance(collection.landmark(number) for number in images),
                    Pairs(rows[pairs.first], rows[pairs.second], pairs.bits), judged, countries)


def read_countries(data: str | Path) -> dict[str, str]:
    """Reads the country of each image id or landmark, as far as a table names countries.

    A csv file of images names them in a column `country`. Beside the lists of a folder, every csv file with columns
    `landmark_id` and `country` counts (Google Landmarks v2 itself names none).

    Args:
        data: Path of the csv file, or of the folder.

    Returns:
        Image id (of a csv file) or landmark (of a folder) to country; empty if no table names any.
    """
    data = Path(data)
    if data.is_file():
        return _country_column(data, "id")
    return {landmark: country for path in sorted(data.glob("*.csv")) if path.is_file()
            for landmark, country in _country_column(path, "landmark_id").items()}


def _country_column(path: Path, key: str) -> dict[str, str]:
    with open(path, encoding="utf-8-sig", errors="replace") as file:  # tables of others may lie there
        header = {name.strip().strip('"') for name in file.readline().split(",")}
    if not {key, "country"} <= header:
        return {}
    return {row[key]: row["country"].strip() for row in read_csv(path, [key, "country"]) if row["country"].strip()}
