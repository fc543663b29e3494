"""Batches of whole tuples of a query, its positive and its negatives."""

import numpy as np

from landmark_zoo.core.errors import UserError


def tuple_plan(tuples: np.ndarray, tuples_per_batch: int, seed: int, epoch: int) -> np.ndarray:
    """Shuffles the tuples; those that fill no batch are left out of this epoch.

    Args:
        tuples: int [Q, 2 + N] of record numbers: query, positive, N negatives.
        tuples_per_batch: T.
        seed: Of the run.
        epoch: From 0.

    Returns:
        int64 [Q // T, T * (2 + N)]; a reshape to [T, 2 + N] gives a batch's tuples.

    Raises:
        UserError: Fewer tuples than one batch.
    """
    tuples = np.asarray(tuples, np.int64)
    if tuples.ndim != 2 or tuples.shape[1] < 2:
        raise ValueError(f"Expected tuples [Q, 2 + N]; received shape {tuples.shape}.")
    if tuples_per_batch < 1 or epoch < 0:
        raise ValueError(f"Expected tuples_per_batch >= 1 and epoch >= 0; received {tuples_per_batch} and {epoch}.")
    steps = len(tuples) // tuples_per_batch
    if not steps:
        raise UserError(f"at least one batch of {tuples_per_batch:,} tuples", f"{len(tuples):,} tuples",
                        "Use a smaller batch size or more queries.")
    order = np.random.default_rng([seed, epoch]).permutation(len(tuples))[:steps * tuples_per_batch]
    return tuples[order].reshape(steps, tuples_per_batch * tuples.shape[1])
