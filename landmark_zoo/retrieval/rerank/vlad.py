"""VLAD (Jegou, Douze, Schmid, Perez: Aggregating Local Descriptors into a Compact Image Representation, CVPR 2010)."""

import numpy as np

from landmark_zoo.retrieval.rerank.base import Reranker
from landmark_zoo.retrieval.rerank.codebook import Codebook
from landmark_zoo.retrieval.rerank.local_features import Features


def vlad(vectors: np.ndarray, centres: np.ndarray, words: np.ndarray, intra: bool = False,
         power: float = 0.5) -> np.ndarray:
    """Returns the sums of residuals to the visual words, normalised.

        V_k = sum of (x_i - c_k) over the x_i of word k;   sign(V) |V|^power;   V_k / |V_k|;   V / |V|

    The second step is power normalisation (Jegou et al., TPAMI 2012), the third intra normalisation (Arandjelovic,
    Zisserman: All about VLAD, CVPR 2013), which its authors take without the other; with both, this order is VLFeat's.

    Args:
        vectors: Local features, [N, D].
        centres: [K, D].
        words: int64 [N], the nearest centre of each.
        intra: Bring each V_k to length 1.
        power: 1 leaves the power normalisation out.

    Returns:
        float32 [K * D] of length 1; zeros without local features.
    """
    sums = np.zeros(centres.shape, np.float64)
    np.add.at(sums, words, vectors.astype(np.float64) - centres[words])
    sums = np.sign(sums) * np.abs(sums) ** power
    return _unit((_unit(sums) if intra else sums).ravel()).astype(np.float32)


class VLAD(Reranker):
    """Scores a candidate by the cosine of two VLAD vectors; it knows no points.

    The default is the root alone; source project E takes it with 16 words and SIFT with contrast threshold 0.

    Args:
        features: `SIFT`, or `LocalFeatures` of an exported model.
        codebook: Fitted on features of the same kind.
        intra: See `vlad`.
        power: See `vlad`.
        budget_ms: See `Reranker`.

    Raises:
        UserError: A codebook of other features.
    """

    def __init__(self, features: Features, codebook: Codebook, intra: bool = False, power: float = 0.5,
                 budget_ms: float | None = None):
        super().__init__(budget_ms)
        codebook.check_kind(features.kind)
        self.features, self.codebook, self.intra, self.power = features, codebook, intra, power

    def describe(self, image: np.ndarray) -> np.ndarray:
        vectors = self.features(image).vectors
        return vlad(vectors, self.codebook.centres, self.codebook.assign(vectors)[:, 0], self.intra, self.power)

    def compare(self, query: np.ndarray, candidate: np.ndarray) -> tuple[float, None]:
        return float(query @ candidate), None


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
