"""Reranker: the interface of all re-rankers, their results and the time they may take."""

import abc
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.image_refs import ImageLocator
from landmark_zoo.data.datasets.images import InvalidImageError, read_image


class Geometry(NamedTuple):
    """Matched points of a query and a candidate.

    Attributes:
        query_points: float32 [M, 2], x and y in pixels of the query's photograph.
        candidate_points: float32 [M, 2], those of the candidate's, row by row.
        homography: float64 [3, 3], takes the query's pixels to the candidate's; None where the method fits none.
    """

    query_points: np.ndarray
    candidate_points: np.ndarray
    homography: np.ndarray | None = None


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
        """Number of candidates that were compared before the budget ran out."""
        return int(np.isfinite(self.scores).sum())

    def scores_of(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the scores of `ids`, float64, in that order."""
        score = dict(zip(self.ids, self.scores, strict=True))
        return np.array([score[image_id] for image_id in ids], np.float64)


class Reranker(abc.ABC):
    """Compares a query with the first candidates of a ranking, one after the other.

    A subclass says how a photograph is described and how two descriptions are compared. Descriptions can be kept:

        fetch = functools.cache(lambda image_id: reranker.describe(photograph_of(image_id)))

    Args:
        budget_ms: Milliseconds for one query; candidates that are not reached keep their order behind those that are. None
            for no limit. What a budget reaches depends on the machine; without one the result depends on the seed alone.
    """

    def __init__(self, budget_ms: float | None = None):
        if budget_ms is not None and budget_ms <= 0:
            raise ValueError(f"Expected a budget above 0 ms, or None; received {budget_ms}.")
        self.budget_ms = budget_ms

    @abc.abstractmethod
    def describe(self, image: np.ndarray) -> Any:
        """Returns what is needed to compare a photograph, uint8 RGB [H, W, 3], as a candidate."""

    def describe_query(self, image: np.ndarray) -> Any:
        """Returns what is needed to compare a photograph as the query; by default the same."""
        return self.describe(image)

    @abc.abstractmethod
    def compare(self, query: Any, candidate: Any) -> tuple[float, Geometry | None]:
        """Returns how alike two descriptions are, the larger the more, and where."""

    def rerank(self, query: Any, candidate_ids: Sequence[str], fetch: Callable[[str], Any]) -> Reranked:
        """Compares the candidates with the query, in the order they are given, and sorts them.

        Args:
            query: A photograph, uint8 RGB [H, W, 3], or what `describe_query` made of one.
            candidate_ids: Ids in their present order, best first; none twice.
            fetch: Returns a candidate's photograph, or what `describe` made of it. An `InvalidImageError` that it raises
                leaves the candidate behind those that were compared, with its reason in `Reranked.skipped`.

        Raises:
            ValueError: An id twice, or an array that is no photograph.
        """
        if len(set(candidate_ids)) != len(candidate_ids):
            raise ValueError("Expected every candidate once; received one twice.")
        end = time.perf_counter() + (np.inf if self.budget_ms is None else self.budget_ms / 1000)
        query = _described(query, self.describe_query)
        found: dict[str, tuple[float, Geometry | None]] = {}
        skipped: dict[str, str] = {}
        for image_id in candidate_ids:
            if time.perf_counter() > end:
                break
            try:
                found[image_id] = self.compare(query, _described(fetch(image_id), self.describe))
            except InvalidImageError as error:
                skipped[image_id] = error.reason
        ids = sorted(found, key=lambda image_id: -found[image_id][0])
        ids += [image_id for image_id in candidate_ids if image_id not in found]
        nothing = (np.nan, None)
        return Reranked(ids, np.array([found.get(image_id, nothing)[0] for image_id in ids], np.float64),
                        [found.get(image_id, nothing)[1] for image_id in ids], skipped)


def _described(item: Any, describe: Callable[[np.ndarray], Any]) -> Any:
    if not isinstance(item, np.ndarray) or item.ndim == 1:
        return item
    if item.dtype != np.uint8 or item.ndim != 3 or item.shape[2] != 3:
        raise ValueError(f"Expected a photograph uint8 [H, W, 3]; received {item.dtype} {list(item.shape)}.")
    return describe(item)


def image_reader(locator: ImageLocator, max_side: int) -> Callable[[str], np.ndarray]:
    """Makes a `fetch` for `Reranker.rerank`.

    Args:
        locator: Says where the photographs lie.
        max_side: Pixels of the longer side to which larger photographs are shrunk.

    Returns:
        A function from an id to the upright photograph, uint8 RGB [H, W, 3]; it raises `InvalidImageError` where the file is
        missing or broken, and `UserError` where several files have the name.
    """
    def read(image_id: str) -> np.ndarray:
        try:
            path = locator.locate(image_id)
        except UserError as error:
            if error.received != "none":
                raise
            raise InvalidImageError("no such file or directory") from error
        return np.asarray(Image.open(io.BytesIO(read_image(path, max_side=max_side).encoded)))
    return read
