"""How near another engine's embeddings are to the SavedModel's."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from landmark_zoo.core.errors import UserError


def compared(saved_model: str | Path, embed: Callable[[np.ndarray], np.ndarray], images: Sequence[np.ndarray],
             least: float) -> float:
    """Returns the smallest cosine between the embeddings of `embed` and those of the signature `images`.

    Args:
        saved_model: `<name>/<version>`.
        embed: From float32 [1, H, W, 3] to [1, D].
        images: Pictures, float32 [1, H, W, 3] each.
        least: A smaller cosine is refused.

    Raises:
        UserError: An embedding is further away, or there are no pictures.
    """
    if not images:
        raise UserError("pictures to compare embeddings on", "none", "Check the folder of pictures.")
    loaded = tf.saved_model.load(str(saved_model))
    cosines = []
    for image in images:
        expected = loaded.signatures["images"](images=tf.constant(image))["embedding"].numpy()[0]
        found = embed(image)[0]
        length = float(np.linalg.norm(found)) or 1.0
        cosines.append(float(expected @ found) / length)
    smallest = float(np.nan_to_num(cosines, nan=-1.0).min())
    if smallest < least:
        raise UserError(f"embeddings with a cosine of {least:g} or more to the SavedModel's", f"{smallest:.4f}",
                        "Nothing was written; use another precision, or more representative pictures.")
    return smallest
