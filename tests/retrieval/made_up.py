"""Made-up embeddings."""

from collections.abc import Sequence

import numpy as np

from landmark_zoo.retrieval.embedding_set import EmbeddingSet


def made_up(count: int, dimension: int = 8, seed: int = 0, prefix: str = "i", spread: float = 0.6,
            landmarks: int = 5) -> EmbeddingSet:
    """Returns embeddings round `landmarks` centres in turn; ids are `<prefix>0`, `<prefix>1`, ..."""
    centres = np.random.default_rng(99).normal(size=[landmarks, dimension])
    noise = np.random.default_rng(seed).normal(size=[count, dimension])
    return of([f"{prefix}{number}" for number in range(count)], centres[np.arange(count) % landmarks] + spread * noise)


def of(ids: Sequence[str], vectors: Sequence[Sequence[float]] | np.ndarray, fingerprint: str = "f") -> EmbeddingSet:
    """Returns an embedding set of these vectors, brought to length 1."""
    vectors = np.asarray(vectors, np.float64)
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return EmbeddingSet(list(ids), unit, fingerprint,
                        {"photographs_sha256": "c" * 64, "model": {"name": "made up", "whitening": "none"}})
