"""k-reciprocal re-ranking (Zhong, Zheng, Cao, Li, CVPR 2017)."""

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.parallel import progress
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.retrieval.index.exact import ExactIndex


def k_reciprocal_distances(similarities: np.ndarray, k1: int, k2: int, original_weight: float) -> np.ndarray:
    """Returns the distance of image 0, the query, to images 1 to n - 1, float32 [n - 1] (Zhong et al., CVPR 2017).

    - R(i): images among the k1 nearest of i that have i among their own k1 nearest (eq. 2), each image among its own.
    - R*(i): with the R of half the size of every j in R(i), where two thirds of that lie in R(i) already (eq. 4).
    - Encoding: exp(-d(i, j)) for j in R*(i), 0 elsewhere (eq. 7), scaled to sum 1, then the mean over the k2 nearest of i,
      itself included (eq. 11).
    - Result: (1 - lambda) Jaccard distance of the encodings (eq. 10) + lambda d(0, j) (eq. 12).

    d is the squared Euclidean distance of unit vectors, divided by the largest in its row, as in the authors' code.

    Args:
        similarities: Dot products of unit vectors, [n, n].
        k1: Size of a neighbourhood, the image itself not counted.
        k2: Number of nearest encodings that are averaged.
        original_weight: lambda, from 0 to 1.
    """
    distances = np.maximum(2 - 2 * similarities.astype(np.float32), 0)
    np.fill_diagonal(distances, -1)
    order = np.argsort(distances, axis=1, kind="stable")
    np.fill_diagonal(distances, 0)
    distances /= np.maximum(distances.max(axis=1, keepdims=True), 1e-12)
    reciprocal = _reciprocal(order, k1)
    half = _reciprocal(order, round(k1 / 2))
    overlap = reciprocal @ half.T
    joins = (reciprocal > 0) & (3 * overlap > 2 * half.sum(axis=1))
    encoded = np.exp(-distances) * ((reciprocal + joins.astype(np.float32) @ half) > 0)
    encoded /= encoded.sum(axis=1, keepdims=True)
    encoded = sum(encoded[order[:, place]] for place in range(min(k2, len(order)))) / min(k2, len(order))
    shared = np.minimum(encoded[0], encoded[1:]).sum(axis=1)
    return (1 - original_weight) * (1 - shared / (2 - shared)) + original_weight * distances[0, 1:]


def _reciprocal(order: np.ndarray, k: int) -> np.ndarray:
    """Returns 1 where two images are among each other's `k` nearest, else 0: float32 [n, n]."""
    near = np.zeros(order.shape, np.float32)
    np.put_along_axis(near, order[:, :k + 1], 1, axis=1)
    return near * near.T


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
        candidates: Number of index images that are re-ranked; time and memory per query grow with its square.
        k1: Size of a neighbourhood.
        k2: Number of nearest encodings that are averaged; 1 for none.
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
