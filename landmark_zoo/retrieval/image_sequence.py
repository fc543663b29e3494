"""ImageSequence: a list of images of any length, on disk."""

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write
from landmark_zoo.core.strict_json import parse_json
from landmark_zoo.data.datasets.folder import PassedOver, images_below
from landmark_zoo.data.datasets.image_formats import SUFFIXES
from landmark_zoo.data.datasets.image_refs import ImageRef
from landmark_zoo.data.datasets.images import check_box

_STRIDE = 256


class ImageSequence(Sequence[ImageRef]):
    """Images listed in a file `pictures.jsonl`, of which only those asked for are in memory.

    An image costs 8 bytes of memory while the list is written (a hash of its id, to find the same id twice), 17 while they
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
    def write(cls, path: str | Path, images: Iterable[ImageRef]) -> "ImageSequence":
        """Writes the list as the images come.

        Raises:
            UserError: No image, an id that occurs twice, or a wrong box.
        """
        hashes = array("Q")
        with atomic_write(path) as file:
            for image in images:
                if image.box is not None:
                    check_box(image.box, image.id)
                hashes.append(int.from_bytes(hashlib.blake2b(image.id.encode(), digest_size=8).digest(), "big"))
                file.write(json.dumps([image.id, str(image.path), image.box]) + "\n")
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
                raise ValueError(f"ImageSequence: expected a slice without a step; received step {step}.")
            return list(self._read(start, stop))
        number = range(len(self))[which]
        return next(self._read(number, number + 1))

    def __iter__(self) -> Iterator[ImageRef]:
        return self._read(0, len(self))

    def _read(self, start: int, stop: int) -> Iterator[ImageRef]:
        if start >= stop:
            return
        with open(self.path, "rb") as file:
            file.seek(self._offsets[start // _STRIDE])
            for _ in range(start % _STRIDE):
                file.readline()
            for _ in range(stop - start):
                name, path, box = self._entry(file.readline())
                yield ImageRef(name, Path(path), None if box is None else tuple(box))

    def _entry(self, line: bytes) -> tuple[str, str, list[float] | None]:
        try:
            name, path, box = parse_json(line)
            if not isinstance(name, str) or not isinstance(path, str) or not isinstance(box, list | None):
                raise ValueError(f"{name!r}, {path!r}, {box!r}")
        except (TypeError, ValueError) as error:
            raise UserError(f"[id, path, box] in each line of {self.path}", str(error), "Embed the images again.") from error
        return name, path, box

    def _check_ids(self, hashes: np.ndarray) -> None:
        ordered = np.sort(hashes)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if not len(twice):
            return
        name = self[int(np.flatnonzero(hashes == twice[0])[0])].id
        self.path.unlink()
        raise UserError("every id once", f"{name} twice", "Remove the duplicate.")


def folder_images(root: str | Path) -> Iterator[ImageRef]:
    """Yields the images below a folder with the ids that `data.datasets.folder.read_folder` gives them.

    The id is the file's name without suffix where no other image has it, else the path below the folder. The folder is
    walked twice: first for the names, of which eight bytes each are kept.

    Args:
        root: The folder.

    Raises:
        UserError: No folder there, or one without images.
    """
    root = Path(root).absolute()
    passed_over = PassedOver(root)
    hashes = np.frombuffer(array("Q", (_hash(path.stem) for path in images_below(root, passed_over))), np.uint64)
    if not len(hashes):
        raise UserError(f"images ({' '.join(SUFFIXES)}) in folders below {root}",
                        f"none{f', but {passed_over}' if passed_over else ''}", "Check the path.")
    values, counts = np.unique(hashes, return_counts=True)
    several = set(values[counts > 1].tolist())
    for path in images_below(root):
        yield ImageRef(path.relative_to(root).as_posix() if _hash(path.stem) in several else path.stem, path)


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
