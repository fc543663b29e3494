"""Embeddings drawn at random that lie as those of landmarks do."""

import numpy as np

_BLOCK = 10_000


def landmark_vectors(count: int, dimension: int, landmarks: int, seed: int) -> np.ndarray:
    """Draws unit vectors in small clusters, in a space in which few directions are strong.

    A landmark is a normal vector whose i-th number (from 1) has the standard deviation 1 / sqrt(i), set to length 1. An
    image is its landmark, each with the same chance, plus 0.7 times one more such vector, set to length 1. So two images
    of one landmark have a cosine of about 0.67, and those of two landmarks one about 0 with a deviation of about 0.2
    (D = 512).

    Args:
        count: How many.
        dimension: D.
        landmarks: How many landmarks; they are the same for every seed.
        seed: Of the images.

    Returns:
        float32 [count, D].
    """
    centres = _directions(np.random.default_rng([0, landmarks]), landmarks, dimension)
    random = np.random.default_rng([1, seed])
    vectors = np.empty([count, dimension], np.float32)
    for start in range(0, count, _BLOCK):
        block = vectors[start:start + _BLOCK]
        block[:] = centres[random.integers(0, landmarks, len(block))] + 0.7 * _directions(random, len(block), dimension)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


def _directions(random: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    vectors = random.standard_normal([count, dimension], np.float32) / np.sqrt(np.arange(1, dimension + 1, dtype=np.float32))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
