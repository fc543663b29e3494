"""Predictions of landmarks, in the order in which they are judged."""

from collections.abc import Mapping

import numpy as np


def recognition_order(predictions: Mapping[str, tuple[int, float]],
                      solution: Mapping[str, frozenset[int]]) -> tuple[list[str], np.ndarray]:
    """Returns the pictures with a prediction, most confident first, and whether each is right, bool [P].

    Equal confidences stand by rising picture, then by rising landmark, as Kaggle and the code of GLDv2's authors have it.

    Args:
        predictions: Picture to its one landmark and confidence; a picture may be absent.
        solution: Picture to the landmarks that it shows, perhaps none. Predictions for other pictures are left out.

    Raises:
        ValueError: A confidence that is not finite.
    """
    listed = sorted((-confidence, picture, landmark) for picture, (landmark, confidence) in predictions.items()
                    if picture in solution)
    if not np.isfinite([item[0] for item in listed]).all():
        raise ValueError("recognition_order: expected finite confidences; received NaN or infinity.")
    pictures = [picture for _, picture, _ in listed]
    return pictures, np.array([landmark in solution[picture] for _, picture, landmark in listed], bool)
