"""Label noise of the photographs of a collection."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from landmark_zoo.data.analysis.label_noise import LabelNoise


class Judged(NamedTuple):
    """Which photographs were judged, and how.

    Attributes:
        numbers: Of the photographs in the collection, int64 [M].
        noise: Of each of them.
        landmarks: Label to landmark.
    """

    numbers: np.ndarray
    noise: LabelNoise
    landmarks: Sequence[str]

    def strangest(self) -> np.ndarray:
        """Returns places in `numbers`, the strangest first; the only photograph of a landmark is left out."""
        return _falling(self.noise.strangeness)

    def most_disputed(self) -> np.ndarray:
        """Returns places in `numbers` of those with a neighbour of another landmark, the most disputed first."""
        order = _falling(self.noise.disagreement + 1e-3 * self.noise.strangeness)
        return order[self.noise.disagreement[order] > 0]


def _falling(values: np.ndarray) -> np.ndarray:
    order = np.argsort(-values, kind="stable")
    return order[~np.isnan(values[order])]
