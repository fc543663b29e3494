"""What the embeddings of an ensemble's members are multiplied with."""

import math
from collections.abc import Sequence

import numpy as np

from landmark_zoo.core.errors import UserError


def member_factors(weights: Sequence[float] | None, members: int) -> np.ndarray:
    """Returns sqrt(w / sum of all w) for each member, float32 [members].

    With these the concatenation has length 1, and the dot product of two of them is the weighted mean of the members'
    cosines: a weight says how much a member's cosine counts. (Multiplying by the weight itself would count its square.)

    Args:
        weights: One per member, above 0; None for equal ones.
        members: How many there are.

    Raises:
        UserError: Another number of weights, or one that is not above 0.
    """
    weights = [1.0] * members if weights is None else list(weights)
    if len(weights) != members or not all(math.isfinite(weight) and weight > 0 for weight in weights):
        raise UserError(f"{members} weights above 0, one for each member", ", ".join(map(str, weights)) or "none",
                        "Write for example --weights=2,1,1.")
    return np.sqrt(np.array(weights) / sum(weights)).astype(np.float32)
