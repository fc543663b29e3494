"""Metrics of one ranking: average precision, precision at k, and the ranks of positives without junk."""

from collections.abc import Collection, Sequence

import numpy as np

CONVENTIONS = ("finite_sum", "trapezoid")
DIVISORS = ("places", "positives", "last_positive")
_GROUP = 64


def checked_ranks(ranks: Sequence[int] | np.ndarray, positives: int) -> np.ndarray:
    """Returns `ranks` as int64 if they can be the ranks of a query's positives.

    Args:
        ranks: 0-based ranks of the positives found.
        positives: How many positives there are.

    Raises:
        ValueError: Ranks that are not whole, negative, not increasing, or more than `positives`.
    """
    given = np.asarray(ranks)
    ranks = given.astype(np.int64)
    if given.ndim != 1 or (ranks != given).any() or (ranks < 0).any() or (np.diff(ranks) <= 0).any():
        raise ValueError(f"Expected increasing 0-based ranks; received {given.tolist()}.")
    if len(ranks) > positives:
        raise ValueError(f"Expected at most {positives} ranks, one for each positive; received {len(ranks)}.")
    return ranks


def average_precision(ranks: Sequence[int] | np.ndarray, positives: int, convention: str) -> float:
    """Returns the area under the precision-recall curve of one ranking.

    With `r_j` the 0-based rank of the j-th positive found (j = 0, 1, ...):

    * finite sum, `sum_j (j+1) / (r_j+1) / positives`: GLDv2, Kaggle, scikit-learn;
    * trapezoid, `sum_j (p_j + (j+1) / (r_j+1)) / 2 / positives` with `p_j = j / r_j`, or 1 where `r_j = 0`: the
      Oxford and Paris benchmarks (`compute_ap` of VGG and of revisitop). A single positive at the second place has 0.25
      here and 0.5 by finite sum.

    Args:
        ranks: Increasing 0-based ranks of the positives found, junk left out (`positive_ranks`).
        positives: How many positives there are; those without a rank are misses.
        convention: "finite_sum" or "trapezoid".

    Returns:
        A number in [0, 1]; NaN without positives, for such a query belongs in no mean.

    Raises:
        ValueError: Ranks that are negative, not increasing or more than the positives; an unknown convention.

    Example:
        >>> average_precision([0, 3], positives=2, convention="finite_sum")
        0.75
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"Expected convention {' or '.join(CONVENTIONS)}; received {convention!r}.")
    ranks = checked_ranks(ranks, positives)
    if positives == 0:
        return float("nan")
    found = np.arange(len(ranks))
    after = (found + 1) / (ranks + 1)
    if convention == "finite_sum":
        return float(after.sum() / positives)
    before = np.where(ranks == 0, 1.0, found / np.maximum(ranks, 1))
    return float((before + after).sum() / 2 / positives)


def average_precision_at_k(ranks: Sequence[int] | np.ndarray, positives: int, k: int = 100) -> float:
    """Returns `sum_{i<=k} P(i) rel(i) / min(positives, k)` of one query (Weyand et al., CVPR 2020, sec. 5.1).

    The divisor is `min(positives, k)`, neither `positives` nor the number found: a perfect ranking has 1 also where
    there are more than `k` positives. The mean over queries is mAP@k.

    Args:
        ranks: Increasing 0-based ranks of the positives found (`positive_ranks`); those from `k` on do not count.
        positives: How many positives there are in the index.
        k: Number of places that count.

    Returns:
        A number in [0, 1]; NaN without positives.

    Example:
        >>> average_precision_at_k([0, 3], positives=2, k=3)
        0.5
    """
    if k < 1:
        raise ValueError(f"Expected k of 1 or more; received {k}.")
    ranks = checked_ranks(ranks, positives)
    return average_precision(ranks[ranks < k], min(positives, k), "finite_sum")


def precision_at_k(ranks: Sequence[int] | np.ndarray, positives: int, k: int, divisor: str) -> float:
    """Returns the share of positives among the first places of one ranking.

    * "places": hits in the first `k` places / `k`, as in GLDv2's evaluation; a query with fewer than `k` positives cannot
      reach 1;
    * "positives": hits in the first `k` places / `min(k, positives)`; 1 for a perfect ranking;
    * "last_positive": the revisited rule (revisitop `evaluate.py`), hits in the first `kq` places / `kq`, where `kq` is
      `min(k, place of the last positive found)`.

    Args:
        ranks: Increasing 0-based ranks of the positives found, junk left out (`positive_ranks`).
        positives: How many positives there are.
        k: Number of places that count.
        divisor: "places", "positives" or "last_positive".

    Returns:
        A number in [0, 1]; 0 where nothing was found, NaN without positives.

    Example:
        >>> precision_at_k([0, 3], positives=2, k=5, divisor="last_positive")
        0.5
    """
    if divisor not in DIVISORS:
        raise ValueError(f"Expected divisor {' or '.join(DIVISORS)}; received {divisor!r}.")
    if k < 1:
        raise ValueError(f"Expected k of 1 or more; received {k}.")
    ranks = checked_ranks(ranks, positives)
    if positives == 0:
        return float("nan")
    if len(ranks) == 0:
        return 0.0
    if divisor == "last_positive":
        k = min(k, int(ranks[-1]) + 1)
    return float(np.count_nonzero(ranks < k) / (min(k, positives) if divisor == "positives" else k))


PRECISIONS = "P@k: hits in k places, divided by k; cP@k: divided by min(k, positives)"


def precisions(ranks: Sequence[int] | np.ndarray, positives: int) -> dict[str, float]:
    """Returns P@1, P@10 and cP@10 of one ranking; see `PRECISIONS` and, for the arguments, `precision_at_k`."""
    return {"P@1": precision_at_k(ranks, positives, 1, "places"), "P@10": precision_at_k(ranks, positives, 10, "places"),
            "cP@10": precision_at_k(ranks, positives, 10, "positives")}


def positive_ranks(ranking: Sequence | np.ndarray, positives: Collection, junk: Collection = ()) -> np.ndarray:
    """Returns the 0-based ranks of the positives, counted after the junk is taken out.

    Junk is removed first, so it neither helps nor harms (Philbin et al., CVPR 2007; Radenovic et al., CVPR 2018). A
    positive listed twice counts once, at its first place; the repetition keeps its place as a miss, as in the GLDv2
    evaluation.

    Args:
        ranking: Ids of index images, best first; it may be truncated.
        positives: Ids that should be found. Those absent from `ranking` are not among the ranks returned.
        junk: Ids that count neither way.

    Returns:
        Increasing int64 array with one rank for each positive found.

    Raises:
        ValueError: An id is positive and junk at once.

    Example:
        >>> positive_ranks(["d", "a", "e", "b", "c"], positives={"a", "c"}, junk={"d"}).tolist()
        [0, 3]
    """
    positives, junk = list(positives), list(junk)
    both = set(positives) & set(junk)
    if both:
        raise ValueError(f"Expected positives and junk without a common id; received {min(both)!r} in both.")
    ranking = np.asarray(ranking)
    ranking = ranking[~_is_in(ranking, junk)]
    places = np.flatnonzero(_is_in(ranking, positives))
    _, first = np.unique(ranking[places], return_index=True)
    return np.sort(places[first])


def _is_in(ranking: np.ndarray, ids: list) -> np.ndarray:
    return np.isin(ranking, ids) if ids else np.zeros(ranking.shape, bool)


def ranks_without_junk(positives: Sequence[int] | np.ndarray, junk: Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns the ranks of the positives, counted after the junk is taken out.

    From the places of labelled images in one ranking (`exact_ranks`) follow the ranks under every protocol: each junk
    image moves what stands behind it up by one.

    Args:
        positives: 0-based places of the positives in the whole ranking, in any order.
        junk: 0-based places of the junk.

    Returns:
        Increasing int64 array, as `average_precision` wants it.

    Raises:
        ValueError: A place that is in both.

    Example:
        >>> ranks_without_junk(positives=[1, 4], junk=[0]).tolist()
        [0, 3]
    """
    positives, junk = np.sort(np.asarray(positives, np.int64)), np.sort(np.asarray(junk, np.int64))
    both = np.intersect1d(positives, junk)
    if both.size:
        raise ValueError(f"ranks_without_junk: expected positives and junk at different places; received {both[0]} in both.")
    return positives - np.searchsorted(junk, positives)


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """Returns the `k` images with the largest scores, best first; equal scores stand in the order of the index.

    Args:
        scores: Scores of one query with every image of the index, float [N], finite.
        k: Number of images; all of a shorter index.

    Returns:
        int64 [min(k, N)].

    Example:
        >>> top_k(np.array([0.1, 0.9, 0.5]), 2).tolist()
        [1, 2]
    """
    groups = len(scores) // _GROUP
    rows = np.arange(len(scores))
    if groups > k:  # the k-th largest of the groups' maxima is no larger than the k-th largest score
        largest = scores[:groups * _GROUP].reshape(groups, _GROUP).max(axis=1)
        rows = np.flatnonzero(scores >= np.partition(largest, groups - k)[groups - k])
    return rows[np.argsort(-scores[rows], kind="stable")][:k]
