"""One re-ranker over many lists, timed."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from experiments.reranking.first_lists import FirstList
from landmark_zoo.core.progress import progress
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.rerank.reranker import Reranker


class RerankedLists(NamedTuple):
    """What a re-ranker says of every list.

    Attributes:
        scores: Query to its local scores, float64, in the order of the list; NaN where a candidate was not compared.
        query_ms: Median milliseconds of a query: its description and all comparisons, the candidates' descriptions kept.
        describe_ms: Mean milliseconds for the description of one candidate.
    """

    scores: dict[str, np.ndarray]
    query_ms: float
    describe_ms: float


def rerank_lists(reranker: Reranker, lists: Mapping[str, FirstList], read: Callable[[str], np.ndarray],
                 description: str) -> RerankedLists:
    """Describes every candidate once, then re-ranks list after list.

    Args:
        reranker: What compares.
        lists: Query id to list.
        read: An id to its photograph; a candidate without one is not compared.
        description: For the progress.
    """
    candidates = dict.fromkeys(image for each in lists.values() for image in each.ids)
    described, start = {}, time.perf_counter()
    for image in progress(candidates, f"{description}: describing"):
        try:
            described[image] = reranker.describe(read(image))
        except BadPhotograph as error:
            described[image] = error
    describe_ms = 1000 * (time.perf_counter() - start) / max(len(described), 1)

    def fetch(image_id: str):
        found = described[image_id]
        if isinstance(found, BadPhotograph):
            raise found
        return found

    scores, seconds = {}, []
    for query, each in progress(lists.items(), f"{description}: re-ranking", unit="list"):
        photograph, start = read(query), time.perf_counter()
        reranked = reranker.rerank(photograph, each.ids, fetch)
        seconds.append(time.perf_counter() - start)
        scores[query] = reranked.scores_of(each.ids)
    return RerankedLists(scores, 1000 * float(np.median(seconds)), describe_ms)
