"""VLAD (Jegou, Douze, Schmid, Perez: Aggregating Local Descriptors into a Compact Image Representation, CVPR 2010)."""

import numpy as np

from landmark_zoo.retrieval.rerank.codebook import Codebook
from landmark_zoo.retrieval.rerank.features import Features
from landmark_zoo.retrieval.rerank.reranker import Reranker


def vlad(vectors: np.ndarray, centres: np.ndarray, words: np.ndarray, intra: bool = True,
         power: float = 0.5) -> np.ndarray:
    """Returns the sums of residuals to the visual words, normalised.

        V_k = sum of (x_i - c_k) over the x_i of word k;   V_k / |V_k|;   sign(V) |V|^power;   V / |V|

    The second step is intra normalisation (Arandjelovic, Zisserman: All about VLAD, CVPR 2013), the third power
    normalisation (Jegou et al., TPAMI 2012); with both, this order is VLFeat's.

    Args:
        vectors: Local features, [N, D].
        centres: [K, D].
        words: int64 [N], the nearest centre of each.
        intra: Whether each V_k is brought to length 1.
        power: 1 leaves the power normalisation out.

    Returns:
        float32 [K * D] of length 1; zeros without local features.
    """
    sums = np.zeros(centres.shape, np.float64)
    np.add.at(sums, words, vectors.astype(np.float64) - centres[words])
    if intra:
        sums = _unit(sums)
    return _unit((np.sign(sums) * np.abs(sums) ** power).ravel()).astype(np.float32)


class VLAD(Reranker):
    """Scores a candidate by the cosine of two VLAD vectors; it knows no points.

    Source project E takes 16 words, SIFT with contrast threshold 0, no intra normalisation, power 0.5.

    Args:
        features: `SIFT`, or `LocalFeatures` of an exported model.
        codebook: Fitted on features of the same kind.
        intra: See `vlad`.
        power: See `vlad`.
        budget_ms: See `Reranker`.

    Raises:
        UserError: A codebook of other features.
    """

    def __init__(self, features: Features, codebook: Codebook, intra: bool = True, power: float = 0.5,
                 budget_ms: float | None = None):
        super().__init__(budget_ms)
        codebook.check_kind(features.kind)
        self.features, self.codebook, self.intra, self.power = features, codebook, intra, power

    def describe(self, photograph: np.ndarray) -> np.ndarray:
        vectors = self.features(photograph).vectors
        return vlad(vectors, self.codebook.centres, self.codebook.assign(vectors)[:, 0], self.intra, self.power)

    def compare(self, query: np.ndarray, candidate: np.ndarray) -> tuple[float, None]:
        return float(query @ candidate), None


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
