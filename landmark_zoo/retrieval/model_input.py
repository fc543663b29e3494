"""A picture file as bytes that every exported model can decode."""

import io

from PIL import Image

from landmark_zoo.data.photograph import MIN_SIDE, BadPhotograph, read_photograph
from landmark_zoo.retrieval.crop import crop
from landmark_zoo.retrieval.picture import Picture


def model_input(picture: Picture, apply_exif: bool = True) -> bytes:
    """Reads a picture, checks it, and returns it encoded for `serving_default`.

    An upright RGB JPEG without a box goes through byte for byte; what else Pillow reads becomes one. A box is cut
    before anything is resized, and the cut encoded as PNG, so that it keeps its exact pixels.

    Args:
        picture: The file and its box, if any.
        apply_exif: Turn the picture as its EXIF orientation says; False where boxes are in the pixels as stored.

    Raises:
        BadPhotograph: No such file, not a picture, a broken one, or one smaller than 32 pixels.
        UserError: A box that is empty or reaches out of the picture.
    """
    encoded = read_photograph(picture.path, apply_exif=apply_exif).encoded
    if picture.box is None:
        return encoded
    part = crop(Image.open(io.BytesIO(encoded)), picture.box, picture.id)
    if min(part.size) < MIN_SIDE:
        raise BadPhotograph(f"a box of {part.height} x {part.width} px, smaller than {MIN_SIDE}")
    buffer = io.BytesIO()
    part.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
