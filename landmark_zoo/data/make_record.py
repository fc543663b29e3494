"""One photograph to one record."""

from dataclasses import dataclass

import tensorflow as tf

from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.photograph import BadPhotograph, read_photograph
from landmark_zoo.data.schema import Example, serialize_example


@dataclass(frozen=True)
class MadeRecord:
    """A record and what it does not hold.

    Attributes:
        serialized: The record.
        original_size: Height and width of the photograph before it was shrunk, in pixels.
    """

    serialized: bytes
    original_size: tuple[int, int]


def make_record(entry: Entry, label: int, *, max_side: int | None, upright: bool = True) -> MadeRecord:
    """Reads a photograph and makes its record; equal files give equal bytes.

    Args:
        entry: The photograph.
        label: Of its landmark.
        max_side: The longest side of the stored picture, in pixels; None for any.
        upright: Turn the picture as its EXIF orientation says.

    Raises:
        BadPhotograph: It cannot be read, or TensorFlow cannot decode what was made of it.
    """
    photograph = read_photograph(entry.path, max_side=max_side, apply_exif=upright)
    try:
        decode_image(tf.constant(photograph.encoded))
    except tf.errors.InvalidArgumentError as error:
        raise BadPhotograph("damaged JPEG, refused by TensorFlow") from error
    example = Example(encoded=photograph.encoded, id=entry.id, height=photograph.height, width=photograph.width,
                      label=label, landmark_id=entry.landmark_id)
    return MadeRecord(serialize_example(example), (photograph.original_height, photograph.original_width))
