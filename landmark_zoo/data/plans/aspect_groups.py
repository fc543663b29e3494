"""Batches of pictures of similar shape, so that they are hardly distorted."""

import numpy as np

from landmark_zoo.core.errors import UserError

_EDGES = (0.67, 0.77, 1.33, 1.5)
_SIZES = np.array([(352, 512), (384, 512), (448, 448), (512, 384), (512, 352)])
_MULTIPLE = 32


def aspect_plan(heights: np.ndarray, widths: np.ndarray, batch_size: int, seed: int, epoch: int,
                scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Groups pictures by height / width; each batch is of one group and has that group's size.

    The groups are cut at 0.67, 0.77, 1.33 and 1.5; their (height, width) are (352, 512), (384, 512), (448, 448),
    (512, 384) and (512, 352). Reference: Yokoo, Ozaki, Simo-Serra, Iizuka: Two-stage Discriminative Re-ranking for
    Large-scale Landmark Retrieval, CVPRW 2020, and its code (`size_template["S2"]`); Song, Han, Avrithis: GLAM, WACV 2022.

    There, pictures that fill no batch are dropped. Here they wait: each group is one endless row of its pictures,
    shuffled again for every round, from which batches are cut; all pictures are used equally often, and a batch holds a
    picture twice only where one round ends and the next begins. So all epochs have the same number of steps.

    Args:
        heights: int [N], of each record, in pixels.
        widths: int [N], in pixels.
        batch_size: Pictures per batch.
        seed: Of the run.
        epoch: From 0.
        scale: Of the sizes; they are rounded to multiples of 32.

    Returns:
        int64 [N // batch_size, batch_size] of record numbers, and int64 [N // batch_size, 2], each batch's height and width.

    Raises:
        UserError: Fewer pictures than one batch.
    """
    if batch_size < 1 or epoch < 0 or scale <= 0:
        raise ValueError(f"Expected batch_size >= 1, epoch >= 0 and scale > 0; received {batch_size}, {epoch} and {scale}.")
    groups = np.digitize(np.asarray(heights) / np.asarray(widths), _EDGES)
    members = [np.flatnonzero(groups == group) for group in range(len(_SIZES))]
    steps = len(groups) // batch_size
    if not steps:
        raise UserError(f"at least one batch of {batch_size:,} pictures", f"{len(groups):,} pictures",
                        "Use a smaller batch size or more photographs.")
    group, number = _batches(np.array([len(member) for member in members]), batch_size, seed, epoch * steps, steps)
    plan = np.empty((steps, batch_size), np.int64)
    for one, member in enumerate(members):
        places = number[group == one][:, None] * batch_size + np.arange(batch_size)
        plan[group == one] = _row(member, places, seed, one)
    sizes = np.maximum(_MULTIPLE, np.floor(_SIZES * scale / _MULTIPLE + 0.5).astype(np.int64) * _MULTIPLE)
    return plan, sizes[group]


def _batches(counts: np.ndarray, batch_size: int, seed: int, first: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns of batches first .. first + steps - 1 of the run the group and the number within the group's row.

    Round r holds, shuffled, the batches that the r-th pass through all pictures completes.
    """
    groups, numbers, begun, round_ = [], [], 0, 0
    while begun < first + steps:
        done, full = round_ * counts // batch_size, (round_ + 1) * counts // batch_size
        total = (full - done).sum()
        if begun + total > first:
            order = np.random.default_rng([seed, round_]).permutation(total)
            group = np.repeat(np.arange(len(counts)), full - done)
            number = np.concatenate([np.arange(a, b) for a, b in zip(done, full, strict=True)])
            keep = order[max(0, first - begun):first + steps - begun]
            groups.append(group[keep])
            numbers.append(number[keep])
        begun, round_ = begun + total, round_ + 1
    return np.concatenate(groups), np.concatenate(numbers)


def _row(member: np.ndarray, places: np.ndarray, seed: int, group: int) -> np.ndarray:
    """Returns what stands at these places of a group's endless row."""
    if not places.size:
        return places
    rounds, place = np.divmod(places, len(member))
    found = np.empty_like(places)
    for round_ in np.unique(rounds):
        order = np.random.default_rng([seed, round_, group]).permutation(len(member))
        found[rounds == round_] = member[order[place[rounds == round_]]]
    return found
