"""Which class number stands for which landmark."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json


class LabelMap:
    """A one-to-one map between landmark ids and the labels 0 .. n-1, in sorted order: whole numbers first and by value.

    Args:
        landmark_ids: The ids, in any order; repeated ones count once.
    """

    def __init__(self, landmark_ids: Iterable[str]):
        self.landmark_ids = tuple(sorted(set(landmark_ids), key=_order))
        if not self.landmark_ids:
            raise UserError("at least one landmark", "none", "Check the source of the photographs.")
        self._labels = {landmark_id: label for label, landmark_id in enumerate(self.landmark_ids)}

    def label(self, landmark_id: str) -> int:
        """Returns the label of a landmark; an unknown one is a `UserError`."""
        if landmark_id not in self._labels:
            raise UserError(f"one of the {len(self)} landmarks of the label map", repr(landmark_id),
                            "Use the label map that was made from these photographs.")
        return self._labels[landmark_id]

    def landmark_id(self, label: int) -> str:
        """Returns the landmark of a label; one outside 0 .. n-1 is a `UserError`."""
        if not 0 <= label < len(self):
            raise UserError(f"a label from 0 to {len(self) - 1}", str(label), "Use the label map of this model.")
        return self.landmark_ids[label]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the ids in order: equal exactly where all labels mean the same."""
        return hashlib.sha256(json.dumps(self.landmark_ids).encode()).hexdigest()

    def save(self, path: str | Path) -> None:
        """Writes the map as JSON."""
        write_json(path, {"fingerprint": self.fingerprint, "landmark_ids": self.landmark_ids})

    @classmethod
    def load(cls, path: str | Path) -> "LabelMap":
        """Reads a map that `save` wrote; one that was changed since is a `UserError`."""
        facts = read_json(path)
        try:
            label_map = cls(facts["landmark_ids"])
            saved = (list(label_map), label_map.fingerprint) == (facts["landmark_ids"], facts["fingerprint"])
        except (KeyError, TypeError) as error:
            raise UserError(f"a label map in {path}", f"a file without {error}", "Name another file.") from error
        if not saved:
            raise UserError(f"the label map of {path} as it was saved", "another order or content",
                            "Restore the file or prepare the records again.")
        return label_map

    def __len__(self) -> int:
        return len(self.landmark_ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.landmark_ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelMap) and self.landmark_ids == other.landmark_ids

    def __hash__(self) -> int:
        return hash(self.landmark_ids)


def _order(landmark_id: str) -> tuple:
    whole = landmark_id.isascii() and landmark_id.isdecimal()
    return (0, int(landmark_id), landmark_id) if whole else (1, 0, landmark_id)
