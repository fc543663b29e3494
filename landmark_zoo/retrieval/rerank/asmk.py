"""ASMK: aggregated selective match kernel (Tolias, Avrithis, Jégou, To Aggregate or Not to Aggregate, ICCV 2013).

Re-ranks by local features, those of HOW (Tolias, Jenicek, Chum, ECCV 2020) or any others: residuals to visual words are
summed per word and binarized, and two images are as alike as the signs at the words they share.
"""

from typing import NamedTuple

import numpy as np

from landmark_zoo.retrieval.rerank.base import Reranker
from landmark_zoo.retrieval.rerank.codebook import Codebook
from landmark_zoo.retrieval.rerank.local_features import Features

ALPHA, TAU = 3.0, 0.0
CANDIDATE_WORDS, QUERY_WORDS = 1, 5
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1).sum(axis=1).astype(np.int64)


class Aggregated(NamedTuple):
    """Local features of one image, aggregated by visual word.

    Attributes:
        words: int64 [W], increasing: words that the local features are assigned to.
        bits: uint8 [W, ceil(D / 8)], packed signs of the sum of residuals to each.
    """

    words: np.ndarray
    bits: np.ndarray


def aggregate(vectors: np.ndarray, codebook: Codebook, words: int) -> Aggregated:
    """Sums the residuals of the local features to their visual words and keeps the signs, 1 where the sum is positive.

    Args:
        vectors: float32 [N, D].
        codebook: Visual words, fitted on the same kind of features.
        words: Number of nearest words that a feature is assigned to: 1 for candidates, 5 for queries.
    """
    assigned = codebook.assign(vectors, words)
    found, row = np.unique(assigned, return_inverse=True)
    sums = np.zeros((len(found), codebook.centres.shape[1]))
    np.add.at(sums, row.reshape(assigned.shape), vectors[:, np.newaxis] - codebook.centres[assigned])
    return Aggregated(found, np.packbits(sums > 0, axis=1))


def selectivity(query_bits: np.ndarray, bits: np.ndarray, dimension: int) -> np.ndarray:
    """Returns `u^alpha` where `u = 1 - 2 hamming / D` is above tau, else 0, with the paper's alpha 3 and tau 0.

    Args:
        query_bits: uint8 [..., ceil(D / 8)].
        bits: uint8 [..., ceil(D / 8)], of a shape that fits.
        dimension: D.

    Returns:
        float64 [...].
    """
    alike = 1 - 2 * _ONES[np.bitwise_xor(query_bits, bits)].sum(axis=-1) / dimension
    return np.where(alike > TAU, alike, 0.0) ** ALPHA


def asmk_similarity(query: Aggregated, candidate: Aggregated, dimension: int) -> float:
    """Returns the kernel: the sum of selectivities over common words, divided by the root of the product of both numbers of
    words; 1 for equal images, 0 without a common word. No inverse document frequencies, as in HOW."""
    _, left, right = np.intersect1d(query.words, candidate.words, assume_unique=True, return_indices=True)
    total = selectivity(query.bits[left], candidate.bits[right], dimension).sum()
    return float(total / np.sqrt(max(len(query.words) * len(candidate.words), 1)))


class ASMK(Reranker):
    """Re-ranker by `asmk_similarity`, without geometry.

    HOW takes 65,536 words fitted on 20,000 images and 1000 features of each image.

    Args:
        features: `LocalFeatures` of an exported HOW model, or any other.
        codebook: Fitted on features of the same kind.
        budget_ms: See `Reranker`.

    Raises:
        UserError: A codebook of other features.
    """

    def __init__(self, features: Features, codebook: Codebook, budget_ms: float | None = None):
        super().__init__(budget_ms)
        codebook.check_kind(features.kind)
        self.features, self.codebook = features, codebook

    def describe(self, image: np.ndarray) -> Aggregated:
        return aggregate(self.features(image).vectors, self.codebook, CANDIDATE_WORDS)

    def describe_query(self, image: np.ndarray) -> Aggregated:
        return aggregate(self.features(image).vectors, self.codebook, QUERY_WORDS)

    def compare(self, query: Aggregated, candidate: Aggregated) -> tuple[float, None]:
        return asmk_similarity(query, candidate, self.codebook.centres.shape[1]), None
