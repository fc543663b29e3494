"""Some photographs of a folder, for comparing and measuring."""

from pathlib import Path

from absl import logging

from landmark_zoo.data.folder import read_folder
from landmark_zoo.data.photograph import BadPhotograph, read_photograph


def sample_pictures(folder: str | Path, number: int) -> list[bytes]:
    """Returns encoded pictures, spread evenly over those below a folder; bad ones are named and left out.

    Args:
        folder: Of photographs.
        number: How many at most.

    Raises:
        UserError: No folder there, or none with pictures.
    """
    entries = read_folder([folder]).entries
    encoded = []
    for place in range(min(number, len(entries))):
        entry = entries[place * len(entries) // min(number, len(entries))]
        try:
            encoded.append(read_photograph(entry.path).encoded)
        except BadPhotograph as error:
            logging.warning("%s is left out: %s", entry.path, error.reason)
    return encoded
