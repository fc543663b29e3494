"""Label noise: suspicious labels found by nearest neighbors in embedding space."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

NEIGHBORS = 20


class LabelNoise(NamedTuple):
    """Two measures of doubt about the label of each of N images; NaN for the only image of a landmark.

    Attributes:
        strangeness: 1 - mean similarity to the nearest images of its own landmark, float32 [N]. High for what shows no
            landmark: clip-art, maps, collages, close-ups.
        disagreement: Fraction of its nearest neighbors that have another landmark, float32 [N]. High for what looks like
            another landmark.
        likelier: Most frequent label of those neighbors, int64 [N]; its own label if there are none.
    """

    strangeness: np.ndarray
    disagreement: np.ndarray
    likelier: np.ndarray


def label_noise(vectors: np.ndarray, labels: np.ndarray, nearest: np.ndarray, block_rows: int = 2048) -> LabelNoise:
    """Judges the label of each image by `NEIGHBORS` nearest neighbors, or as many as its landmark has other images.

    Args:
        vectors: L2-normalised embeddings, float32 [N, D].
        labels: Labels, int64 [N], 0-based.
        nearest: Rows of the nearest neighbors of each image, itself left out, best first, int64 [N, K] with K at least
            `NEIGHBORS` or N - 1.
        block_rows: Rows of a landmark compared with all its images at a time, which bounds the memory.
    """
    usable = np.minimum(np.bincount(labels)[labels] - 1, min(NEIGHBORS, nearest.shape[1]))
    near = labels[nearest[:, :NEIGHBORS]]
    counted = np.arange(near.shape[1]) < usable[:, np.newaxis]
    foreign = counted & (near != labels[:, np.newaxis])
    with np.errstate(invalid="ignore"):
        disagreement = (foreign.sum(axis=1) / usable).astype(np.float32)
    likelier = np.array([_most_common(row[mask], own) for row, mask, own in zip(near, foreign, labels, strict=True)],
                        np.int64).reshape(-1)
    return LabelNoise(_strangeness(vectors, labels, block_rows), disagreement, likelier)


def _most_common(labels: np.ndarray, otherwise: int) -> int:
    return int(np.bincount(labels).argmax()) if len(labels) else int(otherwise)


def _strangeness(vectors: np.ndarray, labels: np.ndarray, block_rows: int) -> np.ndarray:
    strange = np.full(len(vectors), np.nan, np.float32)
    order = np.argsort(labels, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(rows) > 1:
            own = vectors[rows]
            for start in range(0, len(rows), block_rows):
                stop = min(start + block_rows, len(rows))
                strange[rows[start:stop]] = 1 - _mean_of_nearest(own, start, stop)
    return strange


def _mean_of_nearest(vectors: np.ndarray, start: int, stop: int) -> np.ndarray:
    similarities = vectors[start:stop] @ vectors.T
    similarities[np.arange(stop - start), np.arange(start, stop)] = -np.inf
    k = min(NEIGHBORS, len(vectors) - 1)
    return np.partition(similarities, -k, axis=1)[:, -k:].mean(axis=1)


class JudgedImages(NamedTuple):
    """Label noise of the images of a collection that have embeddings.

    Attributes:
        numbers: Numbers of these images in the collection, int64 [M].
        noise: Label noise of each.
        landmarks: Landmark of each label.
    """

    numbers: np.ndarray
    noise: LabelNoise
    landmarks: Sequence[str]

    def strangest(self) -> np.ndarray:
        """Returns indices into `numbers`, the strangest first; the only image of a landmark is left out."""
        return _descending(self.noise.strangeness)

    def most_disputed(self) -> np.ndarray:
        """Returns indices into `numbers` of images with a neighbor of another landmark, the most disputed first."""
        order = _descending(self.noise.disagreement + 1e-3 * self.noise.strangeness)
        return order[self.noise.disagreement[order] > 0]


def _descending(values: np.ndarray) -> np.ndarray:
    order = np.argsort(-values, kind="stable")
    return order[~np.isnan(values[order])]
