"""From a picture's id to its file, for benchmarks that list ids only."""

import os
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.gldv2 import gldv2_path
from landmark_zoo.data.photograph import SUFFIXES

_AMBIGUOUS = ""


class ImageLocator:
    """Finds pictures by id below one folder.

    Looks, in this order, for `a/b/c/<id>.jpg` (GLDv2, also below `train`, `index` and `test`), `jpg/<id>.jpg` (Oxford,
    Paris), `<id>` with any picture suffix, and at last for a file of that name anywhere below; the folder is then read
    once and remembered.

    Args:
        root: The folder.

    Raises:
        UserError: There is no such folder.
    """

    def __init__(self, root: str | Path):
        self.root = Path(os.path.abspath(root))
        if not self.root.is_dir():
            raise UserError(f"a folder of photographs at {self.root}", "no folder", "Check the path.")
        self._by_stem: dict[str, str] | None = None

    def locate(self, image_id: str) -> Path:
        """Returns the picture's file.

        Raises:
            UserError: No file has that name, or several have and none lies where it is looked for first.
        """
        for path in self._usual_places(image_id):
            if os.path.isfile(path):
                return Path(path)
        if self._by_stem is None:
            self._by_stem = self._scan()
        found = self._by_stem.get(image_id)
        if found is None:
            raise UserError(f"a picture named {image_id!r} below {self.root}", "none", "Check the folder and the list.")
        if found == _AMBIGUOUS:
            raise UserError(f"one picture named {image_id!r} below {self.root}", "several",
                            "Name the folder that holds the right one.")
        return Path(found)

    def _usual_places(self, image_id: str) -> list[str]:
        folders = [self.root, *(self.root / split for split in ("train", "index", "test"))]
        return [*(gldv2_path(folder, image_id) for folder in folders if len(image_id) >= 3),
                os.path.join(self.root, "jpg", f"{image_id}.jpg"),
                *(os.path.join(self.root, f"{image_id}{suffix}") for suffix in SUFFIXES)]

    def _scan(self) -> dict[str, str]:
        by_stem: dict[str, str] = {}
        for folder, _, names in os.walk(self.root, followlinks=True):
            for name in names:
                stem, suffix = os.path.splitext(name)
                if suffix.lower() in SUFFIXES:
                    by_stem[stem] = _AMBIGUOUS if stem in by_stem else os.path.join(folder, name)
        return by_stem
