"""Random embeddings and ids for the tests of the indexes."""

import numpy as np


def unit_vectors(rows: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=[rows, dimension]).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def names(count: int, prefix: str = "image") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]
