"""Pairs of photographs of one landmark."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from landmark_zoo.core.errors import UserError


def matching_pairs(ids: Sequence[str], landmarks: Mapping[str, str], count: int = 20_000,
                   seed: int = 0) -> list[tuple[str, str]]:
    """Draws pairs of different photographs of the same landmark; a pair may come twice.

    The first is drawn evenly from all photographs that have a partner, the second evenly from its partners.

    Args:
        ids: The photographs that may be drawn.
        landmarks: Photograph id to landmark; photographs that are not in it are left aside.
        count: How many pairs.
        seed: Of the draw.

    Raises:
        UserError: No landmark with two photographs.
    """
    photographs = defaultdict(list)
    for image_id in ids:
        if image_id in landmarks:
            photographs[landmarks[image_id]].append(image_id)
    groups = [group for group in photographs.values() if len(group) > 1]
    if not groups:
        raise UserError("a landmark with two photographs or more", f"none among {len(ids)} photographs",
                        "Check that the ids of the landmarks are those of the embeddings.")
    random = np.random.default_rng(seed)
    sizes = np.array([len(group) for group in groups])
    drawn = random.choice(len(groups), count, p=sizes / sizes.sum())
    first = random.integers(sizes[drawn])
    second = (first + random.integers(1, sizes[drawn])) % sizes[drawn]
    return [(groups[group][a], groups[group][b]) for group, a, b in zip(drawn, first, second, strict=True)]
