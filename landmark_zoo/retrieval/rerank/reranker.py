"""The one interface of all re-rankers."""

import abc
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.rerank.geometry import Geometry
from landmark_zoo.retrieval.rerank.reranked import Reranked


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
    def describe(self, photograph: np.ndarray) -> Any:
        """Returns what is needed to compare a photograph, uint8 RGB [H, W, 3], as a candidate."""

    def describe_query(self, photograph: np.ndarray) -> Any:
        """Returns what is needed to compare a photograph as the query; by default the same."""
        return self.describe(photograph)

    @abc.abstractmethod
    def compare(self, query: Any, candidate: Any) -> tuple[float, Geometry | None]:
        """Returns how alike two descriptions are, the larger the more, and where."""

    def rerank(self, query: Any, candidate_ids: Sequence[str], fetch: Callable[[str], Any]) -> Reranked:
        """Compares the candidates with the query, in the order they are given, and sorts them.

        Args:
            query: A photograph, uint8 RGB [H, W, 3], or what `describe_query` made of one.
            candidate_ids: Ids in their present order, best first; none twice.
            fetch: Returns a candidate's photograph, or what `describe` made of it. A `BadPhotograph` that it raises leaves
                the candidate behind those that were compared, with its reason in `Reranked.skipped`.

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
            except BadPhotograph as error:
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
