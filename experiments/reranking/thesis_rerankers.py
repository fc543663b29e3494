"""The three re-rankers of arXiv 2208.04201."""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.reranking.visual_words import visual_words
from landmark_zoo.retrieval.rerank.geometric_reranker import GeometricReranker
from landmark_zoo.retrieval.rerank.patches import Patches
from landmark_zoo.retrieval.rerank.reranker import Reranker
from landmark_zoo.retrieval.rerank.sift import SIFT
from landmark_zoo.retrieval.rerank.vlad import VLAD
from landmark_zoo.retrieval.saved_model import EmbeddingModel

KEYPOINTS, MIN_INLIERS, WORDS = 1000, 10, 16


def thesis_rerankers(model: EmbeddingModel, read: Callable[[str], np.ndarray], codebook_ids: Sequence[str],
                     seed: int = 0) -> dict[str, Reranker]:
    """Makes E5, E6 and E7.

    Not as in the thesis: E5 counts the inliers of a homography where the thesis counts matches, and E6 fits its codebook on
    photographs outside the benchmark.

    Args:
        model: Whose feature map E7 matches.
        read: An id to its photograph.
        codebook_ids: Photographs for the codebook of E6.
        seed: Of MAGSAC and k-means.

    Raises:
        UserError: A model without the signature `local`, or too few local features.
    """
    patches, flat_too = Patches(model), SIFT(KEYPOINTS, contrast_threshold=0.0)
    codebook = visual_words(flat_too, read, codebook_ids, WORDS, "E6", seed)
    return {"E5": GeometricReranker(SIFT(KEYPOINTS), min_inliers=MIN_INLIERS, seed=seed),
            "E6": VLAD(flat_too, codebook, intra=False), "E7": patches}
