"""Which photographs do not go with their landmark."""

from typing import NamedTuple

import numpy as np

NEIGHBOURS = 20
_ROWS = 2048


class LabelNoise(NamedTuple):
    """Two doubts about each of N photographs; NaN where it is the only one of its landmark.

    Attributes:
        strangeness: 1 less the mean similarity to the photographs of its own landmark that are most like it, float32 [N].
            High for what is no photograph of the landmark: clip-art, maps, collages, close-ups.
        disagreement: The part of the photographs most like it that have another landmark, float32 [N]. High for what
            looks like another landmark.
        likelier: The label that most of those have, int64 [N]; its own where none has another.
    """

    strangeness: np.ndarray
    disagreement: np.ndarray
    likelier: np.ndarray


def label_noise(vectors: np.ndarray, labels: np.ndarray, nearest: np.ndarray) -> LabelNoise:
    """Judges photographs by `NEIGHBOURS` others, or by as many as their landmark has where it has fewer.

    Args:
        vectors: Embeddings of length 1, float32 [N, D].
        labels: int64 [N], 0-based.
        nearest: Rows of the photographs most like each, itself left out, best first, int64 [N, at least `NEIGHBOURS`] or as
            many as there are.
    """
    usable = np.minimum(np.bincount(labels)[labels] - 1, min(NEIGHBOURS, nearest.shape[1]))
    near = labels[nearest[:, :NEIGHBOURS]]
    counted = np.arange(near.shape[1]) < usable[:, np.newaxis]
    foreign = counted & (near != labels[:, np.newaxis])
    with np.errstate(invalid="ignore"):
        disagreement = (foreign.sum(axis=1) / usable).astype(np.float32)
    likelier = np.array([_most_common(row[mask], own) for row, mask, own in zip(near, foreign, labels, strict=True)],
                        np.int64).reshape(-1)
    return LabelNoise(_strangeness(vectors, labels), disagreement, likelier)


def _most_common(labels: np.ndarray, otherwise: int) -> int:
    return int(np.bincount(labels).argmax()) if len(labels) else int(otherwise)


def _strangeness(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    strange = np.full(len(vectors), np.nan, np.float32)
    order = np.argsort(labels, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(rows) > 1:
            own = vectors[rows]
            for start in range(0, len(rows), _ROWS):
                strange[rows[start:start + _ROWS]] = 1 - _mean_of_nearest(own, start, min(start + _ROWS, len(rows)))
    return strange


def _mean_of_nearest(vectors: np.ndarray, start: int, stop: int) -> np.ndarray:
    similarities = vectors[start:stop] @ vectors.T
    similarities[np.arange(stop - start), np.arange(start, stop)] = -np.inf
    k = min(NEIGHBOURS, len(vectors) - 1)
    return np.partition(similarities, -k, axis=1)[:, -k:].mean(axis=1)
