"""How far a global average precision could be off."""

from collections.abc import Mapping

import numpy as np

from landmark_zoo.metrics.percentile_interval import percentile_interval
from landmark_zoo.metrics.recognition_gap import gap_of
from landmark_zoo.metrics.recognition_order import recognition_order


def recognition_gap_interval(predictions: Mapping[str, tuple[int, float]], solution: Mapping[str, frozenset[int]],
                             resamples: int = 2000, level: float = 0.95, seed: int = 0) -> tuple[float, float, float]:
    """Returns the global average precision and its percentile bootstrap interval over pictures.

    It is no mean over pictures: each resample draws pictures with replacement and orders their predictions anew.

    Args:
        predictions: Picture to its one landmark and confidence.
        solution: Picture to the landmarks that it shows, perhaps none.
        resamples: How many samples are drawn, 1000 or more.
        level: Share of the resampled values inside the interval.
        seed: The same seed gives the same interval.

    Returns:
        `(value, low, high)`; three NaN where no picture shows a landmark.
    """
    pictures, correct = recognition_order(predictions, solution)
    shows = np.array([bool(landmarks) for landmarks in solution.values()], bool)
    if not shows.any():
        return (float("nan"),) * 3
    number = {picture: place for place, picture in enumerate(solution)}
    drawn_by = np.array([number[picture] for picture in pictures], np.int64)
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        times = np.bincount(generator.integers(len(shows), size=len(shows)), minlength=len(shows))
        values.append(gap_of(np.repeat(correct, times[drawn_by]), int(times[shows].sum())))
    return gap_of(correct, int(shows.sum())), *percentile_interval(values, level)
