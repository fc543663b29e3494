"""Every re-ranker by name."""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.reranking.visual_words import visual_words
from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.asmk import ASMK
from landmark_zoo.retrieval.rerank.geometric_reranker import GeometricReranker
from landmark_zoo.retrieval.rerank.local_features import LocalFeatures
from landmark_zoo.retrieval.rerank.patches import Patches
from landmark_zoo.retrieval.rerank.reranker import Reranker
from landmark_zoo.retrieval.rerank.sift import SIFT
from landmark_zoo.retrieval.rerank.vlad import VLAD
from landmark_zoo.retrieval.saved_model import EmbeddingModel

TITLES = {"sift": "SIFT, inliers of a homography", "local": "local features of the model, inliers of a homography",
          "patches": "patches of the feature map", "vlad": "VLAD of SIFT", "vlad_local": "VLAD of local features",
          "asmk": "ASMK of local features"}
KEYPOINTS, MIN_INLIERS, VLAD_WORDS, ASMK_WORDS = 1000, 10, 64, 4096
LOCAL_RATIO, LOCAL_TOLERANCE, SCALES = 0.95, 24.0, (0.7071, 1.0, 1.4142)


def named_rerankers(names: Sequence[str], model: EmbeddingModel, read: Callable[[str], np.ndarray],
                    codebook_ids: Sequence[str], seed: int = 0,
                    budget_ms: float | None = None) -> dict[str, Reranker]:
    """Makes re-rankers, their codebooks fitted.

    The cells of a feature map lie 32 pixels apart, so that the local features of a model are matched with a tolerance of
    most of a cell and a ratio that its many alike neighbours pass.

    Args:
        names: Of `TITLES`.
        model: Whose feature map is taken.
        read: An id to its photograph.
        codebook_ids: Photographs that codebooks are fitted on.
        seed: Of MAGSAC and k-means.
        budget_ms: Milliseconds for one query; None for no limit.

    Raises:
        UserError: A name that is not known, a model without the signature `local`, or too few local features.
    """
    unknown = [name for name in names if name not in TITLES]
    if unknown or not names:
        raise UserError(f"re-rankers of {', '.join(TITLES)}", ", ".join(unknown) or "none", "Correct --methods.")

    def words(features, count, name):
        return visual_words(features, read, codebook_ids, count, name, seed)

    sift = SIFT(KEYPOINTS)
    local = LocalFeatures(model, scales=SCALES) if {"local", "vlad_local", "asmk"} & set(names) else None
    makers = {
        "sift": lambda: GeometricReranker(sift, min_inliers=MIN_INLIERS, seed=seed, budget_ms=budget_ms),
        "local": lambda: GeometricReranker(local, LOCAL_RATIO, LOCAL_TOLERANCE, MIN_INLIERS, seed, budget_ms),
        "patches": lambda: Patches(model, budget_ms=budget_ms),
        "vlad": lambda: VLAD(sift, words(sift, VLAD_WORDS, "vlad"), budget_ms=budget_ms),
        "vlad_local": lambda: VLAD(local, words(local, VLAD_WORDS, "vlad_local"), budget_ms=budget_ms),
        "asmk": lambda: ASMK(local, words(local, ASMK_WORDS, "asmk"), budget_ms=budget_ms),
    }
    return {name: makers[name]() for name in names}
