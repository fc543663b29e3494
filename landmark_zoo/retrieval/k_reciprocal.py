"""Re-ranking by whether image and query are among each other's neighbours."""

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.progress import progress
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.exact_index import ExactIndex
from landmark_zoo.retrieval.k_reciprocal_distances import k_reciprocal_distances


def k_reciprocal(queries: EmbeddingSet, index: EmbeddingSet, depth: int = 100, candidates: int = 500, k1: int = 20,
                 k2: int = 6, original_weight: float = 0.3) -> list[list[str]]:
    """Returns a ranking of index ids for every query (Zhong, Zheng, Cao, Li: Re-ranking Person Re-identification with
    k-reciprocal Encoding, CVPR 2017).

    Of each query only its first `candidates` are looked at: neighbourhoods are those within {query} and candidates, so no
    matrix over the whole index is made, and with `candidates` at the size of the index the method is the paper's for one
    query. Images behind the candidates keep their places. Other queries are no neighbours of anything here, as they are in
    the authors' code.

    Args:
        queries: Each is ranked by itself.
        index: Embeddings of the index images, of the same model.
        depth: Length of the rankings.
        candidates: How many index images are re-ranked; time and memory per query grow with its square.
        k1: Size of a neighbourhood.
        k2: How many nearest encodings are averaged; 1 for none.
        original_weight: lambda, the weight of the original distance against the Jaccard distance.

    Raises:
        UserError: Embeddings of two models, or a setting out of its range.
    """
    if min(depth, candidates, k1, k2) < 1 or not 0 <= original_weight <= 1:
        raise UserError("depth, candidates, k1, k2 of 1 or more and original_weight from 0 to 1",
                        f"{depth}, {candidates}, {k1}, {k2} and {original_weight}", "Mend the settings.")
    index.check_model(queries.dimension, queries.model_fingerprint)
    rows, _ = ExactIndex.of(index).search_positions(queries.vectors, max(depth, candidates))
    ids = np.array(index.ids, object)
    rankings = []
    for query, found in progress(zip(queries.vectors, rows, strict=True), "re-ranking", len(queries), unit="ranking"):
        near = found[:candidates]
        vectors = np.concatenate([query[np.newaxis], index.vectors[near]])
        order = np.argsort(k_reciprocal_distances(vectors @ vectors.T, k1, k2, original_weight), kind="stable")
        rankings.append(ids[np.concatenate([near[order], found[candidates:]])[:depth]].tolist())
    return rankings
