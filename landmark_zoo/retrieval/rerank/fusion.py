"""Fusion of the scores of a ranking and of a re-ranker, weighed on landmarks outside the benchmark."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.metrics.ranking import average_precision_at_k

GRID = tuple(number / 20 for number in range(21))
DEPTH = 100


class ScoredList(NamedTuple):
    """The candidates of one query, best first.

    Attributes:
        global_scores: [N], by which they stand in this order.
        local_scores: [N], of a re-ranker; NaN where it did not compare.
        relevant: bool [N].
        positives: Number of relevant index images, found or not.
    """

    global_scores: np.ndarray
    local_scores: np.ndarray
    relevant: np.ndarray
    positives: int


class Scale(NamedTuple):
    """Standardization of scores to mean 0 and standard deviation 1.

    Attributes:
        mean: Mean of the scores it was made of.
        deviation: Theirs; 1 where all are equal.
        least: The smallest of them, which stands for a NaN.
    """

    mean: float
    deviation: float
    least: float

    @classmethod
    def of(cls, scores: np.ndarray) -> "Scale":
        """Returns the scale of finite scores [N]."""
        return cls(float(scores.mean()), float(scores.std()) or 1.0, float(scores.min()))

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Returns scores, which may be NaN, on the scale, float64."""
        return (np.nan_to_num(np.asarray(scores, np.float64), nan=self.least) - self.mean) / self.deviation


class Fusion:
    """`v * global + (1 - v) * local`, both on one scale (arXiv 2208.04201, with the second term as its code has it).

    On the one scale either kind of score has mean 0 and standard deviation 1 over the validation lists; a candidate that was
    not compared counts as the worst that was. v = 1 is the order that came in.

    Attributes:
        v: After `fit`: the largest of 0, 0.05, ..., 1 with the best mAP@100 on the validation lists. (A grid, because mAP
            is a step function of v with many maxima.)
        curve: mAP@100 on the validation lists for each of `GRID`.
    """

    def fit(self, lists: Sequence[ScoredList]) -> "Fusion":
        """Finds scale and v.

        Args:
            lists: Candidates of queries of landmarks outside the benchmark.

        Raises:
            UserError: No list with a positive, or no local score at all.
        """
        lists = [each for each in lists if each.positives > 0]
        compared = [each.local_scores[np.isfinite(each.local_scores)] for each in lists]
        if not lists or not sum(map(len, compared)):
            raise UserError("validation queries with positives and compared candidates", "none",
                            "Take more validation photographs, or a larger budget.")
        self._global = Scale.of(np.concatenate([each.global_scores for each in lists]))
        self._local = Scale.of(np.concatenate(compared))
        self.curve = [float(np.mean([self._average_precision(each, v) for each in lists])) for v in GRID]
        self.v = max(v for v, value in zip(GRID, self.curve, strict=True) if value >= max(self.curve) - 1e-12)
        return self

    def fuse(self, global_scores: np.ndarray, local_scores: np.ndarray, v: float | None = None) -> np.ndarray:
        """Returns the fused scores.

        Args:
            global_scores: [N].
            local_scores: [N]; NaN where a candidate was not compared.
            v: 0..1; the fitted one where it is not given.
        """
        v = self.v if v is None else v
        if not 0 <= v <= 1:
            raise ValueError(f"Expected v from 0 to 1; received {v}.")
        return v * self._global.apply(global_scores) + (1 - v) * self._local.apply(local_scores)

    def order(self, global_scores: np.ndarray, local_scores: np.ndarray, v: float | None = None) -> np.ndarray:
        """Returns the row numbers of the candidates by falling fused score; equal ones keep their order."""
        return np.argsort(-self.fuse(global_scores, local_scores, v), kind="stable")

    def save(self, path: str | Path) -> None:
        """Writes a .json file."""
        write_json(path, {"v": self.v, "global": self._global, "local": self._local, "grid": GRID, "curve": self.curve})

    @classmethod
    def load(cls, path: str | Path) -> "Fusion":
        """Reads a file that `save` wrote; a UserError where it is none."""
        facts, fusion = read_json(path), cls()
        try:
            fusion.v, fusion.curve = float(facts["v"]), [float(value) for value in facts["curve"]]
            fusion._global, fusion._local = (Scale(*map(float, facts[kind])) for kind in ("global", "local"))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"a fusion in {path}", f"{type(error).__name__}: {error}", "Fit it again.") from error
        return fusion

    def _average_precision(self, each: ScoredList, v: float) -> float:
        ranks = np.flatnonzero(each.relevant[self.order(each.global_scores, each.local_scores, v)])
        return average_precision_at_k(ranks, each.positives, DEPTH)

