"""From an id to the pixels of its photograph."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.data.photograph import BadPhotograph, read_photograph


def photograph_reader(locator: ImageLocator, max_side: int) -> Callable[[str], np.ndarray]:
    """Makes a `fetch` for `Reranker.rerank`.

    Args:
        locator: Says where the photographs lie.
        max_side: Pixels of the longer side to which larger photographs are shrunk.

    Returns:
        A function from an id to the upright photograph, uint8 RGB [H, W, 3]; it raises `BadPhotograph` where the file is
        missing or broken, and `UserError` where several files have the name.
    """
    def read(image_id: str) -> np.ndarray:
        try:
            path = locator.locate(image_id)
        except UserError as error:
            if error.received != "none":
                raise
            raise BadPhotograph("no such file or directory") from error
        return np.asarray(Image.open(io.BytesIO(read_photograph(path, max_side=max_side).encoded)))
    return read
