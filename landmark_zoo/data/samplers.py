"""Samplers: which records stand in which batch of an epoch.

Four samplers (PK, class-balanced, aspect-ratio, tuples) return record numbers as an array [steps, batch], a function of
labels, seed and epoch alone, which `input_pipeline.planned_dataset` reads in that order. `landmark_subset` chooses what is
measured.
"""

import numpy as np
from absl import logging

from landmark_zoo.core.errors import UserError

MIN_PER_LANDMARK = 4  # images in a subset, below which landmarks are left out instead
_GOLDEN_RATIO = (5**0.5 - 1) / 2
_ASPECT_EDGES = (0.67, 0.77, 1.33, 1.5)
_ASPECT_SIZES = np.array([(352, 512), (384, 512), (448, 448), (512, 384), (512, 352)])
_SIZE_MULTIPLE = 32


def pk_sampler(labels: np.ndarray, classes_per_batch: int, images_per_class: int, seed: int, epoch: int) -> np.ndarray:
    """PK sampler: batches of P landmarks with K images each.

    Every landmark with two images or more has one place per epoch; some landmarks are drawn a second time so that the last
    batch is full. The n images of a landmark are dealt into ceil(n / K) groups, one for each epoch, and dealt anew when all
    had their turn, so that every image is used. A group of a landmark with fewer than K images repeats some. Landmarks with
    one image are left out, and their number is logged. Reference: Hermans, Beyer, Leibe, In Defense of the Triplet Loss for
    Person Re-Identification, 2017, sec. 2.

    Example:
        >>> import numpy as np
        >>> labels = np.array([0, 0, 0, 1, 1, 2, 2, 2])
        >>> pk_sampler(labels, classes_per_batch=3, images_per_class=2, seed=0, epoch=0).shape
        (1, 6)

    Args:
        labels: int [N], label of each record.
        classes_per_batch: Number of landmarks per batch, P.
        images_per_class: Number of images of each landmark, K, at least 2.
        seed: Random seed of the run.
        epoch: Epoch, from 0.

    Returns:
        Record numbers, int64 [steps, batch] with batch = P * K; the K images of a landmark stand side by side.

    Raises:
        UserError: Fewer than P landmarks have two images.
    """
    if classes_per_batch < 1 or images_per_class < 2 or epoch < 0:
        raise ValueError("Expected classes_per_batch >= 1, images_per_class >= 2 and epoch >= 0; "
                         f"received {classes_per_batch}, {images_per_class} and {epoch}.")
    _, classes, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    usable = np.flatnonzero(counts > 1)
    if len(usable) < classes_per_batch:
        raise UserError(f"at least {classes_per_batch:,} landmarks with two images or more for each batch",
                        f"{len(usable):,} of {len(counts):,} landmarks", "Lower classes_per_batch or use more photographs.")
    if len(usable) < len(counts):
        logging.info("%d of %d landmarks have one image and are left out.", len(counts) - len(usable), len(counts))
    dealt, starts = _deal_classes(classes, counts, images_per_class, seed, epoch), np.cumsum(counts) - counts
    random = np.random.default_rng([seed, epoch, 1])
    order, extra = _in_full_batch_order(random.permutation(usable), classes_per_batch, random)
    group = (epoch + extra) % _num_groups(counts, images_per_class)[order]
    places = (group[:, None] * images_per_class + np.arange(images_per_class)) % counts[order][:, None]
    return dealt[starts[order][:, None] + places].reshape(-1, classes_per_batch * images_per_class)


def _num_groups(counts: np.ndarray, size: int) -> np.ndarray:
    return -(-counts // size)


def _deal_classes(classes: np.ndarray, counts: np.ndarray, size: int, seed: int, epoch: int) -> np.ndarray:
    """Returns all record numbers sorted by class, within each class in the order of its present deal."""
    deal = (epoch // _num_groups(counts, size))[classes]
    keys = np.empty(len(classes))
    for number in np.unique(deal):
        drawn = np.random.default_rng([seed, number]).random(len(classes))
        keys[deal == number] = drawn[deal == number]
    return np.lexsort((keys, classes))


def _in_full_batch_order(order: np.ndarray, batch: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the classes, some repeated at the end to fill the last batch, and 1 for each repetition."""
    missing = -len(order) % batch
    again = random.permutation(order[:len(order) - len(order) % batch])[:missing]
    return np.concatenate([order, again]), np.repeat([0, 1], [len(order), missing])


def balanced_sampler(labels: np.ndarray, batch_size: int, seed: int, epoch: int, exponent: float = 0.0) -> np.ndarray:
    """Class-balanced sampler: a landmark's share of the epoch grows with (its number of images) ** exponent.

    An epoch is as long as a plain one. A landmark whose share is x images has x turns, rounded down or up (systematic
    sampling, whose start moves on by the golden ratio from epoch to epoch: a landmark with less than one turn per epoch
    is met at even intervals). A landmark's images take turns in one order, so that every image is used. Exponent 0.5
    is that of akensert's entry to the Kaggle challenge "Google Landmark Retrieval 2020".

    Args:
        labels: int [N], label of each record.
        batch_size: Images per batch.
        seed: Random seed of the run.
        epoch: Epoch, from 0.
        exponent: 0 for equal shares of all landmarks, 1 for shares proportional to their images.

    Returns:
        Record numbers, int64 [steps, batch] with steps = N // batch_size.

    Raises:
        UserError: Fewer images than one batch.
    """
    if not 0 <= exponent <= 1 or batch_size < 1 or epoch < 0:
        raise ValueError("Expected an exponent from 0 to 1, batch_size >= 1 and epoch >= 0; "
                         f"received {exponent}, {batch_size} and {epoch}.")
    labels = np.asarray(labels)
    steps = len(labels) // batch_size
    if not steps:
        raise UserError(f"at least one batch of {batch_size:,} images", f"{len(labels):,} images",
                        "Use a smaller batch size or more photographs.")
    random = np.random.default_rng(seed)
    start, counts = random.random(), np.unique(labels, return_counts=True)[1]
    by_class = np.lexsort((random.random(len(labels)), labels))
    shares = counts.astype(np.float64) ** exponent
    ends = np.round(steps * batch_size * np.cumsum(shares) / shares.sum(), 9)

    def turns(of_epoch: int) -> np.ndarray:
        offset = (start + of_epoch * _GOLDEN_RATIO) % 1.0
        return np.diff(np.ceil(ends - offset), prepend=0.0).astype(np.int64)

    earlier = sum((turns(past) for past in range(epoch)), np.zeros(len(counts), np.int64))
    now = turns(epoch)
    place = np.arange(now.sum()) - np.repeat(np.cumsum(now) - now, now)
    turn = (np.repeat(earlier, now) + place) % np.repeat(counts, now)
    chosen = by_class[np.repeat(np.cumsum(counts) - counts, now) + turn]
    return np.random.default_rng([seed, epoch]).permutation(chosen).reshape(steps, batch_size)


def aspect_sampler(heights: np.ndarray, widths: np.ndarray, batch_size: int, seed: int, epoch: int,
                   scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Aspect-ratio sampler: each batch holds images of one height / width group and has that group's size.

    The groups are cut at 0.67, 0.77, 1.33 and 1.5; their (height, width) are (352, 512), (384, 512), (448, 448),
    (512, 384) and (512, 352). References: Yokoo, Ozaki, Simo-Serra, Iizuka, Two-stage Discriminative Re-ranking for
    Large-scale Landmark Retrieval, CVPRW 2020, and its code (`size_template["S2"]`); Song, Han, Avrithis, GLAM, WACV 2022.

    There, images that fill no batch are dropped. Here they wait: each group is one endless row of its images, shuffled again
    for every round, from which batches are cut. All images are used equally often, a batch repeats an image only where one
    round ends and the next begins, and all epochs have the same number of steps.

    Args:
        heights: int [N], height of each record in pixels.
        widths: int [N], width of each record in pixels.
        batch_size: Images per batch.
        seed: Random seed of the run.
        epoch: Epoch, from 0.
        scale: Factor of the sizes, which are rounded to multiples of 32.

    Returns:
        Record numbers, int64 [steps, batch], and the height and width of each batch, int64 [steps, 2].

    Raises:
        UserError: Fewer images than one batch.
    """
    if batch_size < 1 or epoch < 0 or scale <= 0:
        raise ValueError(f"Expected batch_size >= 1, epoch >= 0 and scale > 0; received {batch_size}, {epoch} and {scale}.")
    groups = np.digitize(np.asarray(heights) / np.asarray(widths), _ASPECT_EDGES)
    members = [np.flatnonzero(groups == group) for group in range(len(_ASPECT_SIZES))]
    steps = len(groups) // batch_size
    if not steps:
        raise UserError(f"at least one batch of {batch_size:,} images", f"{len(groups):,} images",
                        "Use a smaller batch size or more photographs.")
    group, number = _batch_order(np.array([len(member) for member in members]), batch_size, seed, epoch * steps, steps)
    plan = np.empty((steps, batch_size), np.int64)
    for one, member in enumerate(members):
        places = number[group == one][:, None] * batch_size + np.arange(batch_size)
        plan[group == one] = _row_images(member, places, seed, one)
    multiples = np.floor(_ASPECT_SIZES * scale / _SIZE_MULTIPLE + 0.5).astype(np.int64)
    return plan, (_SIZE_MULTIPLE * np.maximum(1, multiples))[group]


def _batch_order(counts: np.ndarray, batch_size: int, seed: int, first: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the group of batches first .. first + steps - 1 of the run, and their numbers within the group's row.

    Round r holds, shuffled, the batches that the r-th pass through all images completes.
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


def _row_images(member: np.ndarray, places: np.ndarray, seed: int, group: int) -> np.ndarray:
    """Returns the images at these places of a group's endless row."""
    if not places.size:
        return places
    rounds, place = np.divmod(places, len(member))
    found = np.empty_like(places)
    for round_ in np.unique(rounds):
        order = np.random.default_rng([seed, round_, group]).permutation(len(member))
        found[rounds == round_] = member[order[place[rounds == round_]]]
    return found


def tuple_sampler(tuples: np.ndarray, tuples_per_batch: int, seed: int, epoch: int) -> np.ndarray:
    """Tuple sampler: shuffled (query, positive, negatives) tuples; those that fill no batch are left out of this epoch.

    Example:
        >>> import numpy as np
        >>> tuple_sampler(np.array([[0, 1, 2], [3, 4, 5]]), tuples_per_batch=2, seed=0, epoch=0).shape
        (1, 6)

    Args:
        tuples: int [Q, 2 + N] of record numbers: query, positive, N negatives.
        tuples_per_batch: Tuples per batch, T.
        seed: Random seed of the run.
        epoch: Epoch, from 0.

    Returns:
        Record numbers, int64 [steps, batch] with steps = Q // T and batch = T * (2 + N); a reshape of a batch to [T, 2 + N]
        gives its tuples.

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


def landmark_subset(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Subset for measurements: from each landmark as many images, up to a number that gives `count` together.

    Where that number would be below `MIN_PER_LANDMARK`, whole landmarks are left out, but for two. Images without a partner
    are never chosen.

    Args:
        labels: int [N].
        count: Largest number of images, unless two landmarks have more at `MIN_PER_LANDMARK` images each.
        seed: Seed of the choice.

    Returns:
        int64, increasing places in `labels`.
    """
    random = np.random.default_rng(seed)
    names, counts = np.unique(labels, return_counts=True)
    names = random.permutation(names[counts > 1])
    order = random.permutation(len(labels))
    members = [order[labels[order] == name] for name in names]
    sizes = np.array([len(found) for found in members], np.int64)
    most = sizes.max(initial=0)
    quota = max(limit for limit in range(most + 1) if np.minimum(sizes, limit).sum() <= count)
    if quota < min(MIN_PER_LANDMARK, most):
        quota = MIN_PER_LANDMARK
        members = members[:max(2, np.count_nonzero(np.cumsum(np.minimum(sizes, quota)) <= count))]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *(found[:quota] for found in members)]))
