"""What re-ranking returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from landmark_zoo.retrieval.rerank.geometry import Geometry


@dataclass(frozen=True)
class Reranked:
    """Candidates in their new order.

    Attributes:
        ids: Those that were compared by falling score, equal scores in the order they came in; behind them the others, in
            the order they came in.
        scores: float64, one for each id; NaN where a candidate was not compared.
        geometry: One for each id; None where nothing matched or the method knows no points.
        skipped: Id to reason, of candidates whose photograph is bad.
    """

    ids: Sequence[str]
    scores: np.ndarray
    geometry: Sequence[Geometry | None]
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """How many candidates were compared before the budget ran out."""
        return int(np.isfinite(self.scores).sum())

    def scores_of(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the scores of `ids`, float64, in that order."""
        score = dict(zip(self.ids, self.scores, strict=True))
        return np.array([score[image_id] for image_id in ids], np.float64)
