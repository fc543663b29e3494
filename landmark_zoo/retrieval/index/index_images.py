"""The images of a faiss index: number, id, fields."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from landmark_zoo.core.files import read_csv, write_csv
from landmark_zoo.retrieval.index.fields import FIELDS


class IndexImages:
    """The table from the numbers that faiss knows to the ids that the user knows, in the order of insertion.

    A number is given once and not given again after its image is removed.

    Attributes:
        ids: Ids of the images.
        fields: For each of `FIELDS` one text per image.
        numbers: int64 [N], rising.
        next_number: What the next image will get.
    """

    def __init__(self):
        self.ids: list[str] = []
        self.fields: dict[str, list[str]] = {name: [] for name in FIELDS}
        self.numbers = np.zeros(0, np.int64)
        self.next_number = 0
        self._row = {}

    def add(self, ids: Sequence[str], fields: Mapping[str, Sequence[str]]) -> np.ndarray:
        """Appends images, and returns their numbers, int64 [N]."""
        numbers = np.arange(self.next_number, self.next_number + len(ids))
        self._row.update(zip(ids, range(len(self.ids), len(self.ids) + len(ids)), strict=True))
        self.ids.extend(ids)
        for name in FIELDS:
            self.fields[name].extend(fields[name])
        self.numbers = np.concatenate([self.numbers, numbers])
        self.next_number += len(ids)
        return numbers

    def remove(self, ids: Iterable[str]) -> np.ndarray:
        """Removes images, and returns the numbers that they had, int64 [N]."""
        gone = np.zeros(len(self.ids), bool)
        gone[[self._row[image_id] for image_id in ids]] = True
        kept = np.flatnonzero(~gone)
        removed = self.numbers[gone]
        self.ids = [self.ids[row] for row in kept]
        self.fields = {name: [texts[row] for row in kept] for name, texts in self.fields.items()}
        self.numbers = self.numbers[kept]
        self._row = {image_id: row for row, image_id in enumerate(self.ids)}
        return removed

    def known(self, ids: Iterable[str]) -> set[str]:
        """Returns those of `ids` that are in the table."""
        return {image_id for image_id in ids if image_id in self._row}

    def rows(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the places in `ids` of images by their numbers, int64 of the same shape."""
        return np.searchsorted(self.numbers, numbers)

    def matching(self, where: Mapping[str, Sequence[str]]) -> np.ndarray:
        """Returns whether each number belongs to an image that is there and has these fields, bool [next_number]."""
        matching = np.ones(len(self.ids), bool)
        for name, texts in where.items():
            allowed = set(texts)
            matching &= np.fromiter((text in allowed for text in self.fields[name]), bool, len(self.ids))
        by_number = np.zeros(self.next_number, bool)
        by_number[self.numbers[matching]] = True
        return by_number

    def save(self, path: Path) -> None:
        """Writes a csv table with the columns number, id and `FIELDS`."""
        write_csv(path, ["number", "id", *FIELDS], zip(self.numbers, self.ids, *self.fields.values(), strict=True))

    @classmethod
    def load(cls, path: Path, next_number: int) -> "IndexImages":
        """Reads a table that `save` wrote."""
        images = cls()
        numbers = []
        for row in read_csv(path, ["number", "id", *FIELDS]):
            numbers.append(int(row["number"]))
            images.ids.append(row["id"])
            for name in FIELDS:
                images.fields[name].append(row[name])
        images.numbers, images.next_number = np.array(numbers, np.int64), next_number
        images._row = {image_id: row for row, image_id in enumerate(images.ids)}
        return images

    def __len__(self) -> int:
        return len(self.ids)
