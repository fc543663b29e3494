"""Embeddings of an ensemble from those of its members."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embedding_set import EmbeddingSet
from landmark_zoo.serving.member_factors import member_factors


def concatenated(sets: Sequence[EmbeddingSet], weights: Sequence[float] | None = None) -> EmbeddingSet:
    """Returns what `export.ensemble` without PCA would give for the same photographs; one set comes back as it is.

    Where the members want pictures of different sides the exported ensemble's are a little different: see
    `serving.embedders.ensemble`.

    Args:
        sets: Of the same photographs; photographs that any member lacks are left out.
        weights: How much each member's cosine counts; None for equally.

    Raises:
        UserError: Embeddings of other photographs.
    """
    if len(sets) == 1:
        return sets[0]
    for key in ("photographs_sha256", "apply_exif"):
        found = {str(part.provenance.get(key)) for part in sets}
        if len(found) > 1:
            raise UserError(f"members' embeddings with one {key}", ", ".join(sorted(found)), "Embed the same photographs.")
    common = set.intersection(*(set(part.ids) for part in sets))
    ids = [image_id for image_id in sets[0].ids if image_id in common]
    factors = member_factors(weights, len(sets))
    vectors = np.concatenate([factor * part.select(ids).vectors for part, factor in zip(sets, factors, strict=True)], axis=1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    digest = hashlib.sha256(repr([(part.model_fingerprint, float(factor))
                                  for part, factor in zip(sets, factors, strict=True)]).encode())
    return EmbeddingSet(ids, vectors, digest.hexdigest(), {**sets[0].provenance, "model": _info(sets, factors)})


def _info(sets: Sequence[EmbeddingSet], factors: np.ndarray) -> dict[str, Any]:
    infos = [part.provenance.get("model", {}) for part in sets]
    info = {key: _common([info.get(key, "not stated") for info in infos]) for key in infos[0]}
    weights = ", ".join(f"{factor ** 2:.4g}" for factor in factors)
    return {**info, "name": " + ".join(str(info.get("name")) for info in infos),
            "aggregation": f"members concatenated, their cosines weighted {weights}",
            "dimension": sum(part.dimension for part in sets)}


def _common(values: Sequence[Any]) -> Any:
    return values[0] if all(value == values[0] for value in values) else "; ".join(map(str, values))
