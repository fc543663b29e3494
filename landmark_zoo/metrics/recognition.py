"""Global average precision (GAP, micro-AP) of landmark recognition, and its bootstrap interval."""

from collections.abc import Mapping

import numpy as np

from landmark_zoo.metrics.bootstrap import percentile_interval


def recognition_order(predictions: Mapping[str, tuple[int, float]],
                      solution: Mapping[str, frozenset[int]]) -> tuple[list[str], np.ndarray]:
    """Returns the images with a prediction, most confident first, and whether each is right, bool [P].

    Equal confidences stand by rising image, then by rising landmark, as Kaggle and the code of GLDv2's authors have it.

    Args:
        predictions: Image to its one landmark and confidence; an image may be absent.
        solution: Image to the landmarks that it shows, perhaps none. Predictions for other images are left out.

    Raises:
        ValueError: A confidence that is not finite.
    """
    listed = sorted((-confidence, image, landmark) for image, (landmark, confidence) in predictions.items()
                    if image in solution)
    if not np.isfinite([item[0] for item in listed]).all():
        raise ValueError("recognition_order: expected finite confidences; received NaN or infinity.")
    images = [image for _, image, _ in listed]
    return images, np.array([landmark in solution[image] for _, image, landmark in listed], bool)


def global_average_precision(predictions: Mapping[str, tuple[int, float]], solution: Mapping[str, frozenset[int]]) -> float:
    """Returns `sum_i P(i) rel(i) / M` over one list of all predictions (Weyand et al., CVPR 2020, sec. 5.1).

    A prediction for an image without a landmark stays in the list and is wrong; only images with a landmark are counted
    in M. An image without a prediction is absent from the list.

    Args:
        predictions: Image to its one landmark and confidence.
        solution: Image to the landmarks that it shows, perhaps none. Predictions for other images are left out.

    Returns:
        A number in [0, 1]; NaN where no image shows a landmark.

    Raises:
        ValueError: A confidence that is not finite.

    Example:
        >>> solution = {"a": frozenset({7}), "b": frozenset(), "c": frozenset({7, 9})}
        >>> global_average_precision({"b": (7, 0.9), "c": (9, 0.6)}, solution)
        0.25
    """
    _, correct = recognition_order(predictions, solution)
    return _precision_sum(correct, sum(map(bool, solution.values())))


def _precision_sum(correct: np.ndarray, positives: int) -> float:
    """Returns the sum of the precisions at the right ones of ordered predictions, divided by `positives`; NaN for 0."""
    if positives == 0:
        return float("nan")
    places = np.flatnonzero(correct)
    return float((np.arange(1, len(places) + 1) / (places + 1)).sum() / positives)


def global_average_precision_interval(predictions: Mapping[str, tuple[int, float]], solution: Mapping[str, frozenset[int]],
                             resamples: int = 2000, level: float = 0.95, seed: int = 0) -> tuple[float, float, float]:
    """Returns the global average precision and its percentile bootstrap interval over images.

    It is no mean over images: each resample draws images with replacement and orders their predictions anew.

    Args:
        predictions: Image to its one landmark and confidence.
        solution: Image to the landmarks that it shows, perhaps none.
        resamples: Number of samples drawn, 1000 or more.
        level: Share of the resampled values inside the interval.
        seed: Seed of the resampling; the same seed gives the same interval.

    Returns:
        `(value, low, high)`; three NaN where no image shows a landmark.

    Example:
        >>> global_average_precision_interval({"a": (7, 0.9)}, {"a": frozenset({7})})
        (1.0, 1.0, 1.0)
    """
    images, correct = recognition_order(predictions, solution)
    shows = np.array([bool(landmarks) for landmarks in solution.values()], bool)
    if not shows.any():
        return (float("nan"),) * 3
    number = {image: place for place, image in enumerate(solution)}
    drawn_by = np.array([number[image] for image in images], np.int64)
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        times = np.bincount(generator.integers(len(shows), size=len(shows)), minlength=len(shows))
        values.append(_precision_sum(np.repeat(correct, times[drawn_by]), int(times[shows].sum())))
    return _precision_sum(correct, int(shows.sum())), *percentile_interval(values, level)
