"""Global average precision of recognition."""

from collections.abc import Mapping

import numpy as np

from landmark_zoo.metrics.recognition_order import recognition_order


def recognition_gap(predictions: Mapping[str, tuple[int, float]], solution: Mapping[str, frozenset[int]]) -> float:
    """Returns `sum_i P(i) rel(i) / M` over one list of all predictions (Weyand et al., CVPR 2020, sec. 5.1).

    A prediction for a picture without a landmark stays in the list and is wrong; only pictures with a landmark are counted
    in M. A picture without a prediction is absent from the list.

    Args:
        predictions: Picture to its one landmark and confidence.
        solution: Picture to the landmarks that it shows, perhaps none. Predictions for other pictures are left out.

    Returns:
        A number in [0, 1]; NaN where no picture shows a landmark.

    Raises:
        ValueError: A confidence that is not finite.
    """
    _, correct = recognition_order(predictions, solution)
    return gap_of(correct, sum(map(bool, solution.values())))


def gap_of(correct: np.ndarray, positives: int) -> float:
    """Returns the sum of the precisions at the right ones of ordered predictions, divided by `positives`; NaN for 0."""
    if positives == 0:
        return float("nan")
    places = np.flatnonzero(correct)
    return float((np.arange(1, len(places) + 1) / (places + 1)).sum() / positives)
