"""Given pairs of pictures, as record numbers."""

from pathlib import Path

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import Manifest
from landmark_zoo.data.record_ids import read_record_ids
from landmark_zoo.data.sfm import read_sfm_pairs


def numbered_pairs(manifest: Manifest, listing: str | Path) -> np.ndarray:
    """Reads queries and positives and finds their records; pairs with a picture that has none are left out.

    Args:
        manifest: Of the training records.
        listing: See `read_sfm_pairs`.

    Returns:
        int64 [M, 2].

    Raises:
        UserError: The list cannot be read, or none of its pairs is in the records.
    """
    numbers = {one: number for number, one in enumerate(read_record_ids(manifest))}
    pairs = read_sfm_pairs(listing)
    found = [(numbers[query], numbers[positive]) for query, positive in pairs if query in numbers and positive in numbers]
    if not found:
        raise UserError(f"pairs of pictures of {manifest.directory} in {listing}", f"none among {len(pairs):,}",
                        "Prepare the records from the photographs of that list.")
    logging.info("%d of %d pairs are in the records.", len(found), len(pairs))
    return np.array(found, np.int64)
