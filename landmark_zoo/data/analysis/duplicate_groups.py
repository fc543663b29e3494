"""Pictures that are tied to each other by pairs."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from landmark_zoo.data.analysis.near_duplicates import Pairs


def duplicate_groups(pairs: Pairs, pictures: int) -> list[np.ndarray]:
    """Returns the numbers of the pictures of each group, largest group first; pictures without a pair are in none.

    Two pictures are in one group where a chain of pairs leads from one to the other.

    Args:
        pairs: See `near_duplicates`.
        pictures: How many pictures there are.
    """
    links = coo_array((np.ones(len(pairs.first), bool), (pairs.first, pairs.second)), shape=(pictures, pictures))
    group = connected_components(links, directed=False)[1]
    members = np.argsort(group, kind="stable")
    groups = np.split(members, np.flatnonzero(np.diff(group[members])) + 1) if pictures else []
    return sorted((each for each in groups if len(each) > 1), key=lambda each: (-len(each), each[0]))
