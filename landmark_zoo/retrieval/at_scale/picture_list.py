"""A list of pictures that lies on disk."""

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write
from landmark_zoo.retrieval.picture import Picture

_STRIDE = 256


class PictureList(Sequence[Picture]):
    """Pictures in a file `pictures.jsonl`, of which only those asked for are in memory.

    A picture costs 8 bytes of memory while the list is written (a hash of its id, to find the same id twice), 17 while they
    are compared, and a thirtieth of a byte later.

    Args:
        path: A file that `write` made.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._offsets, self._length, position = array("Q"), 0, 0
        with open(self.path, "rb") as file:
            for line in file:
                if self._length % _STRIDE == 0:
                    self._offsets.append(position)
                position, self._length = position + len(line), self._length + 1

    @classmethod
    def write(cls, path: str | Path, pictures: Iterable[Picture]) -> "PictureList":
        """Writes a list as the pictures come.

        Raises:
            UserError: No picture, or an id that occurs twice.
        """
        hashes = array("Q")
        with atomic_write(path) as file:
            for picture in pictures:
                hashes.append(int.from_bytes(hashlib.blake2b(picture.id.encode(), digest_size=8).digest(), "big"))
                file.write(json.dumps([picture.id, str(picture.path), picture.box]) + "\n")
            if not hashes:
                raise UserError("photographs to embed", "none", "Check the folder or the list.")
        made = cls(path)
        made._check_ids(np.frombuffer(hashes, np.uint64))
        return made

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, which):
        if isinstance(which, slice):
            start, stop, step = which.indices(len(self))
            if step != 1:
                raise ValueError(f"PictureList: expected a slice without a step; received step {step}.")
            return list(self._read(start, stop))
        number = range(len(self))[which]
        return next(self._read(number, number + 1))

    def __iter__(self) -> Iterator[Picture]:
        return self._read(0, len(self))

    def _read(self, start: int, stop: int) -> Iterator[Picture]:
        if start >= stop:
            return
        with open(self.path, "rb") as file:
            file.seek(self._offsets[start // _STRIDE])
            for _ in range(start % _STRIDE):
                file.readline()
            for _ in range(stop - start):
                name, path, box = json.loads(file.readline())
                yield Picture(name, Path(path), None if box is None else tuple(box))

    def _check_ids(self, hashes: np.ndarray) -> None:
        ordered = np.sort(hashes)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if not len(twice):
            return
        name = self[int(np.flatnonzero(hashes == twice[0])[0])].id
        self.path.unlink()
        raise UserError("every id once", f"{name} twice", "Remove the duplicate.")
