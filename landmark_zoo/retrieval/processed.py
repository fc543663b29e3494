"""Embeddings after a step that changed them."""

import numpy as np

from landmark_zoo.retrieval.embedding_set import EmbeddingSet


def processed(embeddings: EmbeddingSet, vectors: np.ndarray, step: str) -> EmbeddingSet:
    """Returns the same ids with other vectors; the step is added to the list `steps` of the provenance.

    Args:
        embeddings: What the step was given.
        vectors: What it made of them, [N, D], in the same space; brought to length 1 here.
        step: What was done, with its settings, in words.

    Raises:
        UserError: A vector of length 0 or with NaN.
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return EmbeddingSet(embeddings.ids, unit.astype(np.float32, copy=False), embeddings.model_fingerprint,
                        {**embeddings.provenance, "steps": [*embeddings.provenance.get("steps", []), step]})
