"""References to image files: id, path and box; files found by their ids."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import check_relative
from landmark_zoo.data.datasets.folder import images_below
from landmark_zoo.data.datasets.google_landmarks import gldv2_path
from landmark_zoo.data.datasets.image_formats import SUFFIXES, check_utf8, file_name, without_suffix
from landmark_zoo.data.datasets.images import read_lossless

_AMBIGUOUS = ""


class ImageLocator:
    """Index of the image files below one folder, by id.

    Looked for are, in this order, `a/b/c/<id>.jpg` (GLDv2, also below `train`, `index` and `test`), `jpg/<id>.jpg`
    (Oxford, Paris), `<id>` with any image suffix, and at last a file of that name anywhere below; the folder is then read
    once and remembered. An id may carry its file's suffix itself, and be a path below the folder (`read_folder`).

    Example:
        >>> import tempfile
        >>> root = tempfile.TemporaryDirectory()
        >>> Path(root.name, "petra").mkdir()
        >>> Path(root.name, "petra", "one.jpg").touch()
        >>> ImageLocator(root.name).locate("one").name
        'one.jpg'

    Args:
        root: Path of the folder.

    Raises:
        UserError: There is no such folder.
    """

    def __init__(self, root: str | Path):
        self.root = Path(os.path.abspath(root))
        if not self.root.is_dir():
            raise UserError(f"a folder of photographs at {self.root}", "no folder", "Check the path.")
        check_utf8(self.root)
        self._by_stem: dict[str, str] | None = None

    def locate(self, image_id: str) -> Path:
        """Returns the path of an image.

        Raises:
            UserError: No file has that name, several have and none lies where it is looked for first, or the id leads out
                of the folder.
        """
        check_relative(image_id, f"the list of images of {self.root}")
        for path in self._usual_places(image_id):
            if os.path.isfile(path):
                return Path(path)
        if self._by_stem is None:
            self._by_stem = self._scan()
        found = self._by_stem.get(image_id)
        if found is None:
            found = self._by_suffix(image_id)
        if found is None:
            raise UserError(f"an image named {image_id!r} below {self.root}", "none", "Check the folder and the list.")
        if found == _AMBIGUOUS:
            raise UserError(f"one image named {image_id!r} below {self.root}", "several",
                            "Name the folder that holds the right one.")
        return Path(found)

    def _usual_places(self, image_id: str) -> list[str]:
        folders = [self.root, *(self.root / split for split in ("train", "index", "test"))]
        return [*(gldv2_path(folder, image_id) for folder in folders if len(image_id) >= 3),
                os.path.join(self.root, "jpg", file_name(image_id)),
                *(os.path.join(self.root, f"{image_id}{suffix}") for suffix in ("", *SUFFIXES))]

    def _scan(self) -> dict[str, str]:
        """Returns path by name without suffix, or `_AMBIGUOUS`; of those also path by whole name."""
        by_stem: dict[str, str] = {}
        for path in map(str, images_below(self.root)):
            name = os.path.basename(path)
            stem = os.path.splitext(name)[0]
            if stem not in by_stem:
                by_stem[stem] = path
                continue
            if first := by_stem[stem]:
                by_stem[os.path.basename(first)] = first
            by_stem[stem] = _AMBIGUOUS
            by_stem[name] = _AMBIGUOUS if name in by_stem else path
        return by_stem

    def _by_suffix(self, image_id: str) -> str | None:
        """Returns the path, or `_AMBIGUOUS`, for an id that carries its file's suffix."""
        found = self._by_stem.get(without_suffix(image_id))
        return found if found and os.path.basename(found).lower() == image_id.lower() else None


class ImageRef(NamedTuple):
    """Reference to an image file, or to a box in it.

    Example:
        >>> ImageRef("all_souls_000013", Path("jpg/all_souls_000013.jpg"), box=(136.5, 34.1, 648.5, 955.7)).id
        'all_souls_000013'

    Args:
        id: Image id, the name of its embedding.
        path: Path of the file; one that does not exist is a bad image, found when it is read.
        box: Corners x1, y1, x2, y2 in pixels of the file; None for the whole image.
    """

    id: str
    path: Path
    box: tuple[float, float, float, float] | None = None

    @classmethod
    def located(cls, image_id: str, locator: ImageLocator) -> "ImageRef":
        """Returns the reference to the file that `locator` finds for an id.

        If it finds none, the path is one that does not exist, so that the image is counted and listed like every other
        bad image.

        Raises:
            UserError: Several files for the id, or one that leads out of the folder.
        """
        try:
            return cls(image_id, locator.locate(image_id))
        except UserError as error:
            if error.received != "none":
                raise
            return cls(image_id, locator.root / image_id)


def model_input(image: ImageRef, apply_exif: bool = True, data: bytes | None = None) -> bytes:
    """Returns an image file encoded for `serving_default`, checked and cut to its box.

    A JPEG that `serving_default` decodes to the same pixels goes through byte for byte; what else Pillow reads becomes a
    PNG. A box is cut before anything is resized. See `images.read_lossless`.

    Args:
        image: Reference to the file and its box, if any.
        apply_exif: Turn the image as its EXIF orientation says; False where boxes are in the pixels as stored.
        data: Bytes of the file, where they were read already.

    Raises:
        InvalidImageError: No such file, not an image, a broken one, or one smaller than 32 pixels.
        UserError: A box that is empty or reaches out of the image.
    """
    return read_lossless(image.path if data is None else data, apply_exif=apply_exif, box=image.box, name=image.id)


def images_checksum(images: Iterable[ImageRef], sizes: Iterable[int] | None = None) -> str:
    """Returns a SHA-256 of ids, boxes and file sizes (-1 for a missing file).

    Sizes are enough to tell the Oxford images with blurred faces, handed out since 2022, from the original ones, and
    cost no reading. They do not tell a file that was changed in place (`retrieval.file_states` does).

    Args:
        images: The images.
        sizes: Bytes of their files; None to look them up.
    """
    digest = hashlib.sha256()
    if sizes is None:
        pairs = ((image, os.path.getsize(image.path) if os.path.isfile(image.path) else -1) for image in images)
    else:
        pairs = zip(images, sizes, strict=True)
    for image, size in pairs:
        digest.update(json.dumps([image.id, image.box, size]).encode())
    return digest.hexdigest()
