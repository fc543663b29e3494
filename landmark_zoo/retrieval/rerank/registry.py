"""Re-rankers by name, as the commands build them."""

from collections.abc import Callable, Sequence

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.rerank.asmk import ASMK
from landmark_zoo.retrieval.rerank.base import Reranker
from landmark_zoo.retrieval.rerank.codebook import visual_words
from landmark_zoo.retrieval.rerank.geometric import GeometricReranker, Patches
from landmark_zoo.retrieval.rerank.local_features import SIFT, LocalFeatures
from landmark_zoo.retrieval.rerank.matcher import DetectedPoints, MatcherReranker, SavedMatcher
from landmark_zoo.retrieval.rerank.vlad import VLAD
from landmark_zoo.saved_model import SavedModel

TITLES = {"sift": "SIFT, inliers of a homography", "local": "local features of the model, inliers of a homography",
          "patches": "patches of the feature map", "vlad": "VLAD of SIFT", "vlad_local": "VLAD of local features",
          "asmk": "ASMK of local features"}
MATCHED = {"xfeat": "XFeat, matches of LighterGlue"}
"""Those that need exports of their own beside the model's."""
KEYPOINTS, MIN_INLIERS, VLAD_WORDS, ASMK_WORDS = 1000, 10, 64, 4096
LOCAL_RATIO, SCALES = 0.95, (0.7071, 1.0, 1.4142)
LOCAL_TOLERANCE, STRIDE = 0.75, 32
"""Of a cell of the feature map, and the side in pixels of the cells of a model that does not state it."""


def named_rerankers(names: Sequence[str], model: SavedModel, read: Callable[[str], np.ndarray],
                    codebook_ids: Sequence[str], seed: int = 0,
                    budget_ms: float | None = None, asmk_words: int = ASMK_WORDS, vlad_intra: bool = False,
                    vlad_power: float = 0.5, xfeat: str | None = None,
                    matcher: str | None = None) -> dict[str, Reranker]:
    """Makes re-rankers, their codebooks fitted.

    The cells of a feature map lie 16 or 32 pixels apart, so that the local features of a model are matched with a tolerance
    of most of a cell and a ratio that its many alike neighbours pass. ASMK takes them at their lengths, as HOW does.

    Args:
        names: Keys of `TITLES` and `MATCHED`.
        model: Whose feature map is taken.
        read: An id to its photograph.
        codebook_ids: Photographs that codebooks are fitted on.
        seed: Random seed of MAGSAC and k-means.
        budget_ms: Milliseconds for one query; None for no limit.
        asmk_words: Size of ASMK's codebook.
        vlad_intra: Bring each word of VLAD to length 1; see `vlad`.
        vlad_power: Power normalisation of VLAD; 1 for none.
        xfeat: For "xfeat": path of an export of xfeat.
        matcher: For "xfeat": path of an export of a matcher.

    Raises:
        UserError: A name that is not known, a model without the signature `local`, too few local features, or no exports
            for "xfeat".
    """
    known = (*TITLES, *MATCHED)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise UserError(f"re-rankers of {', '.join(known)}", ", ".join(unknown) or "none", "Correct --methods.")

    def words(features, count, name):
        return visual_words(features, read, codebook_ids, count, name, seed)

    sift = SIFT(KEYPOINTS)
    local = LocalFeatures(model, scales=SCALES) if {"local", "vlad_local"} & set(names) else None
    at_lengths = LocalFeatures(model, scales=SCALES, radius=-1, unit=False) if "asmk" in names else None
    tolerance = LOCAL_TOLERANCE * model.info.get("local_stride", STRIDE)
    makers = {
        "sift": lambda: GeometricReranker(sift, min_inliers=MIN_INLIERS, seed=seed, budget_ms=budget_ms),
        "local": lambda: GeometricReranker(local, LOCAL_RATIO, tolerance, MIN_INLIERS, seed, budget_ms),
        "patches": lambda: Patches(model, budget_ms=budget_ms),
        "vlad": lambda: VLAD(sift, words(sift, VLAD_WORDS, "vlad"), vlad_intra, vlad_power, budget_ms),
        "vlad_local": lambda: VLAD(local, words(local, VLAD_WORDS, "vlad_local"), vlad_intra, vlad_power, budget_ms),
        "xfeat": lambda: _matched(xfeat, matcher, budget_ms),
        "asmk": lambda: ASMK(at_lengths, words(at_lengths, asmk_words, "asmk"), budget_ms=budget_ms),
    }
    return {name: makers[name]() for name in names}


def _matched(xfeat: str | None, matcher: str | None, budget_ms: float | None) -> MatcherReranker:
    if xfeat is None or matcher is None:
        raise UserError("--xfeat and --matcher for the re-ranker xfeat", "one of them" if xfeat or matcher else "neither",
                        "Write them with export.savedmodel --model=xfeat and export.matcher.")
    return MatcherReranker(DetectedPoints(SavedModel(xfeat), KEYPOINTS), SavedMatcher(matcher), MIN_INLIERS, budget_ms)


THESIS_WORDS = 16


def thesis_rerankers(model: SavedModel, read: Callable[[str], np.ndarray], codebook_ids: Sequence[str],
                     seed: int = 0) -> dict[str, Reranker]:
    """Makes E5, E6 and E7.

    Not as in the thesis: E5 counts the inliers of a homography where the thesis counts matches, and E6 fits its codebook on
    photographs outside the benchmark.

    Args:
        model: Whose feature map E7 matches.
        read: An id to its photograph.
        codebook_ids: Photographs for the codebook of E6.
        seed: Random seed of MAGSAC and k-means.

    Raises:
        UserError: A model without the signature `local`, or too few local features.
    """
    patches, flat_too = Patches(model), SIFT(KEYPOINTS, contrast_threshold=0.0)
    codebook = visual_words(flat_too, read, codebook_ids, THESIS_WORDS, "E6", seed)
    return {"E5": GeometricReranker(SIFT(KEYPOINTS), min_inliers=MIN_INLIERS, seed=seed),
            "E6": VLAD(flat_too, codebook), "E7": patches}
