"""Batches of P landmarks with K pictures each, as losses on pairs and triplets need them."""

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError


def pxk_plan(labels: np.ndarray, classes_per_batch: int, images_per_class: int, seed: int, epoch: int) -> np.ndarray:
    """Gives every landmark with two pictures or more one place of K pictures in each epoch.

    So that the last batch is full too, some landmarks are drawn a second time. The n pictures of a landmark are dealt into
    ceil(n / K) groups, one for each epoch, and dealt anew when all have had their turn: none is left out. A group of a
    landmark with fewer than K pictures holds some twice; landmarks with one picture are left out, and their number is
    logged. Reference: Hermans, Beyer, Leibe: In Defense of the Triplet Loss for Person Re-Identification, 2017, sec. 2.

    Args:
        labels: int [N], of each record.
        classes_per_batch: P.
        images_per_class: K, at least 2.
        seed: Of the run.
        epoch: From 0.

    Returns:
        int64 [steps, P * K] of record numbers; the K pictures of a landmark stand side by side.

    Raises:
        UserError: Fewer than P landmarks have two pictures.
    """
    if classes_per_batch < 1 or images_per_class < 2 or epoch < 0:
        raise ValueError("Expected classes_per_batch >= 1, images_per_class >= 2 and epoch >= 0; "
                         f"received {classes_per_batch}, {images_per_class} and {epoch}.")
    _, classes, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    usable = np.flatnonzero(counts > 1)
    if len(usable) < classes_per_batch:
        raise UserError(f"at least {classes_per_batch:,} landmarks with two pictures or more for each batch",
                        f"{len(usable):,} of {len(counts):,} landmarks", "Lower classes_per_batch or use more photographs.")
    if len(usable) < len(counts):
        logging.info("%d of %d landmarks have one picture and are left out.", len(counts) - len(usable), len(counts))
    dealt, starts = _dealt(classes, counts, images_per_class, seed, epoch), np.cumsum(counts) - counts
    random = np.random.default_rng([seed, epoch, 1])
    order, extra = _in_full_batches(random.permutation(usable), classes_per_batch, random)
    group = (epoch + extra) % _groups(counts, images_per_class)[order]
    places = (group[:, None] * images_per_class + np.arange(images_per_class)) % counts[order][:, None]
    return dealt[starts[order][:, None] + places].reshape(-1, classes_per_batch * images_per_class)


def _groups(counts: np.ndarray, size: int) -> np.ndarray:
    return -(-counts // size)


def _dealt(classes: np.ndarray, counts: np.ndarray, size: int, seed: int, epoch: int) -> np.ndarray:
    """Returns all record numbers sorted by class, within each class in the order of its present deal."""
    deal = (epoch // _groups(counts, size))[classes]
    keys = np.empty(len(classes))
    for number in np.unique(deal):
        drawn = np.random.default_rng([seed, number]).random(len(classes))
        keys[deal == number] = drawn[deal == number]
    return np.lexsort((keys, classes))


def _in_full_batches(order: np.ndarray, batch: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the classes, some of them a second time at the end, and 1 where it is the second time."""
    missing = -len(order) % batch
    again = random.permutation(order[:len(order) - len(order) % batch])[:missing]
    return np.concatenate([order, again]), np.repeat([0, 1], [len(order), missing])
