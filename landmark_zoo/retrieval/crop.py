"""Cutting a query to its box."""

from collections.abc import Sequence

from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.checked_box import checked_box


def crop(image: Image.Image, box: Sequence[float], name: str) -> Image.Image:
    """Returns the part of `image` inside `box`, in the pixels that `image` has.

    The numbers are rounded to whole pixels, halves to the even one, as `PIL.Image.crop` does with floats and with it
    cirtorch; delf and CVNet round otherwise and may differ by a pixel.

    Args:
        image: The whole picture.
        box: x1, y1, x2, y2 with x1 < x2 and y1 < y2.
        name: Of the picture, for the error.

    Raises:
        UserError: A box that is empty or reaches out of the picture.
    """
    box = checked_box(box, name)
    x1, y1, x2, y2 = map(round, box)
    if x1 == x2 or y1 == y2 or x2 > image.width or y2 > image.height:
        raise UserError(f"a box inside the {image.width} x {image.height} pixels of {name}",
                        ",".join(f"{number:g}" for number in box), "Mend the box.")
    return image.crop((x1, y1, x2, y2))
