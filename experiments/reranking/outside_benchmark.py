"""A list of queries that has nothing to do with the benchmark."""

from typing import NamedTuple

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark


class Outside(NamedTuple):
    """Photographs of landmarks that the benchmark does not show; no photograph in two of the parts.

    Attributes:
        validation: Queries and index images, to choose settings by.
        others: Ids of further photographs, to fit codebooks on.
    """

    validation: Gldv2Benchmark
    others: tuple[str, ...]


def outside_benchmark(catalogue: Catalogue, benchmark: Gldv2Benchmark, queries: int, index: int, others: int,
                      seed: int = 0) -> Outside:
    """Draws photographs; positives of a query are the index images of its landmark.

    Args:
        catalogue: All photographs with their landmarks, the benchmark's among them.
        benchmark: Its landmarks are left out.
        queries: How many queries are drawn; those without a positive among the index images drop out.
        index: How many index images.
        others: How many for codebooks.
        seed: Of the draw.

    Raises:
        UserError: Too few photographs, or no query with a positive.
    """
    left = catalogue.without_landmarks(catalogue.landmarks_of({*benchmark.query_ids, *benchmark.index_ids}))
    wanted = queries + index + others
    if len(left) < wanted:
        raise UserError(f"{wanted} photographs of landmarks outside the benchmark", f"{len(left)} in {catalogue.source}",
                        "Give more photographs, or lower --validation_queries, --validation_index, --codebook_photographs.")
    drawn = [left.entries[row] for row in np.random.default_rng(seed).permutation(len(left))[:wanted]]
    asked, searched = drawn[:queries], drawn[queries:queries + index]
    positives = {query.id: frozenset(image.id for image in searched if image.landmark_id == query.landmark_id)
                 for query in asked}
    kept = tuple(query.id for query in asked if positives[query.id])
    if not kept:
        raise UserError("a validation query with an index image of its landmark", "none", "Raise --validation_index.")
    validation = Gldv2Benchmark("outside " + benchmark.name, kept, tuple(image.id for image in searched),
                                {query: positives[query] for query in kept}, dict.fromkeys(kept, ""),
                                len(asked) - len(kept), "drawn, seed " + str(seed))
    return Outside(validation, tuple(image.id for image in drawn[queries + index:]))
