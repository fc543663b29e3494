"""The pictures of other landmarks that a network takes for the query's."""

import numpy as np

QUERIES_AT_ONCE = 256


def hardest_negatives(queries: np.ndarray, query_labels: np.ndarray, pool: np.ndarray, pool_labels: np.ndarray,
                      count: int) -> np.ndarray:
    """Finds the pool's nearest pictures of other landmarks, at most one of each landmark.

    As in Radenovic, Tolias, Chum: CNN Image Retrieval Learns from BoW, ECCV 2016, section 3.2. The search is exact: 256
    queries are compared with the whole pool at a time, 22 MiB for their pool of 22,000.

    Args:
        queries: float32 [Q, D], rows of length 1.
        query_labels: int [Q].
        pool: float32 [P, D], rows of length 1.
        pool_labels: int [P].
        count: How many each query gets.

    Returns:
        int64 [Q, count], rows of `pool`, the nearest first; of equally near ones that with the smallest label, of one
        landmark's that which stands first.

    Raises:
        ValueError: A query has fewer than `count` other landmarks in the pool.
    """
    order = np.argsort(pool_labels, kind="stable")
    landmarks, starts = np.unique(pool_labels[order], return_index=True)
    if count < 1 or len(landmarks) - np.isin(query_labels, landmarks).any() < count:
        raise ValueError(f"hardest_negatives: expected 1 or more negatives and as many other landmarks in the pool; "
                         f"received {count} and {len(landmarks)} landmarks.")
    columns, found = pool[order].T, np.empty([len(queries), count], np.int64)
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        some = slice(start, start + QUERIES_AT_ONCE)
        similarities = queries[some] @ columns
        best = np.maximum.reduceat(similarities, starts, axis=1)
        best[query_labels[some, None] == landmarks] = -np.inf
        nearest = np.argsort(-best, axis=1, kind="stable")[:, :count]
        found[some] = order[_places(similarities, nearest, starts)]
    return found


def _places(similarities: np.ndarray, nearest: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Returns the column of the largest similarity in each run of columns `nearest` [Q, N]; the runs begin at `starts`."""
    ends = np.append(starts[1:], similarities.shape[1])
    return np.array([[starts[run] + np.argmax(row[starts[run]:ends[run]]) for run in runs]
                     for row, runs in zip(similarities, nearest, strict=True)])
