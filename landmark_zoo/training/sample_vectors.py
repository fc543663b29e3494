"""A fair sample of the locations of many feature maps."""

from collections.abc import Iterable

import numpy as np


def sample_vectors(feature_maps: Iterable[np.ndarray], num_vectors: int, seed: int = 0) -> np.ndarray:
    """Returns locations drawn without replacement, each with the same chance, in one pass that holds no more than needed.

    Args:
        feature_maps: [B, H, W, C], of any sizes.
        num_vectors: How many are returned, or all where there are fewer.
        seed: Of the draw.

    Returns:
        [N, C], N <= num_vectors; [0, 0] of no feature maps.
    """
    random = np.random.default_rng(seed)
    vectors, keys = np.zeros((0, 0), np.float32), np.zeros(0)
    for features in feature_maps:
        new = np.reshape(features, (-1, np.shape(features)[-1]))
        vectors = np.concatenate([vectors, new]) if vectors.size else new
        keys = np.concatenate([keys, random.random(len(new))])
        kept = np.sort(np.argsort(keys)[:num_vectors])
        vectors, keys = vectors[kept], keys[kept]
    return vectors
