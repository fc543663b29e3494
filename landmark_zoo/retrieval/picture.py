"""One picture that is to be embedded."""

from pathlib import Path
from typing import NamedTuple

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.locator import ImageLocator


class Picture(NamedTuple):
    """An id, its file, and the part of it that counts.

    Args:
        id: What the embedding will be called.
        path: The file; one that does not exist is a bad photograph, found when it is read.
        box: x1, y1, x2, y2 in pixels of the file; None for the whole picture.
    """

    id: str
    path: Path
    box: tuple[float, float, float, float] | None = None

    @classmethod
    def located(cls, image_id: str, locator: ImageLocator) -> "Picture":
        """Returns the picture with the file that `locator` finds for its id.

        Where it finds none, the path is one that does not exist, so that the picture is counted and listed like every
        other bad photograph.

        Raises:
            UserError: Several files for the id.
        """
        try:
            return cls(image_id, locator.locate(image_id))
        except UserError as error:
            if error.received != "none":
                raise
            return cls(image_id, locator.root / image_id)
