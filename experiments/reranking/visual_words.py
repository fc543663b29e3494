"""A codebook fitted on photographs."""

from collections.abc import Callable, Sequence

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.progress import progress
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.rerank.codebook import Codebook
from landmark_zoo.retrieval.rerank.features import Features


def visual_words(features: Features, read: Callable[[str], np.ndarray], ids: Sequence[str], words: int, name: str,
                 seed: int = 0) -> Codebook:
    """Fits a codebook to the local features of photographs outside the benchmark; bad photographs are passed over.

    Args:
        features: What finds local features.
        read: An id to its photograph.
        ids: The photographs.
        words: How many visual words.
        name: For the progress.
        seed: Of the k-means.

    Raises:
        UserError: No usable photograph, or fewer local features than words.
    """
    found = []
    for image in progress(ids, f"{name}: codebook"):
        try:
            found.append(features(read(image)).vectors)
        except BadPhotograph:
            continue
    if not found:
        raise UserError("usable photographs for a codebook", f"none of {len(ids)}", "Raise --codebook_photographs.")
    return Codebook(words, features.kind, seed).fit(np.concatenate(found), f"{len(found)} photographs outside")
