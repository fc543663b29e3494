"""Landmarks nearer to equally often than they are photographed."""

import numpy as np

from landmark_zoo.core.errors import UserError

_GOLDEN = (5**0.5 - 1) / 2


def balanced_plan(labels: np.ndarray, batch_size: int, seed: int, epoch: int, exponent: float = 0.0) -> np.ndarray:
    """Gives each landmark a share of the epoch that grows with (its number of pictures) ** exponent.

    An epoch is as long as a plain one. A landmark whose share is x pictures has x turns, rounded down or up (systematic
    sampling, whose start moves on by the golden ratio from epoch to epoch: a landmark with less than one turn per epoch
    is met at even intervals). A landmark's pictures take turns in one order, so that none is left out. Exponent 0.5
    is that of akensert's entry to the Kaggle challenge "Google Landmark Retrieval 2020".

    Args:
        labels: int [N], of each record.
        batch_size: Pictures per batch.
        seed: Of the run.
        epoch: From 0.
        exponent: 0 for all landmarks alike, 1 for as many turns as pictures.

    Returns:
        int64 [N // batch_size, batch_size] of record numbers.

    Raises:
        UserError: Fewer pictures than one batch.
    """
    if not 0 <= exponent <= 1 or batch_size < 1 or epoch < 0:
        raise ValueError("Expected an exponent from 0 to 1, batch_size >= 1 and epoch >= 0; "
                         f"received {exponent}, {batch_size} and {epoch}.")
    labels = np.asarray(labels)
    steps = len(labels) // batch_size
    if not steps:
        raise UserError(f"at least one batch of {batch_size:,} pictures", f"{len(labels):,} pictures",
                        "Use a smaller batch size or more photographs.")
    random = np.random.default_rng(seed)
    start, counts = random.random(), np.unique(labels, return_counts=True)[1]
    by_class = np.lexsort((random.random(len(labels)), labels))
    shares = counts.astype(np.float64) ** exponent
    ends = np.round(steps * batch_size * np.cumsum(shares) / shares.sum(), 9)

    def turns(of_epoch: int) -> np.ndarray:
        offset = (start + of_epoch * _GOLDEN) % 1.0
        return np.diff(np.ceil(ends - offset), prepend=0.0).astype(np.int64)

    earlier = sum((turns(past) for past in range(epoch)), np.zeros(len(counts), np.int64))
    now = turns(epoch)
    place = np.arange(now.sum()) - np.repeat(np.cumsum(now) - now, now)
    turn = (np.repeat(earlier, now) + place) % np.repeat(counts, now)
    chosen = by_class[np.repeat(np.cumsum(counts) - counts, now) + turn]
    return np.random.default_rng([seed, epoch]).permutation(chosen).reshape(steps, batch_size)
