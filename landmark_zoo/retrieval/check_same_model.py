"""Embeddings of two models are never compared."""

from landmark_zoo.core.errors import UserError


def check_same_model(dimension: int, fingerprint: str, other_dimension: int, other_fingerprint: str) -> None:
    """Raises a UserError unless both embeddings have one dimension and one model fingerprint.

    Args:
        dimension: D of the embeddings that are there.
        fingerprint: `EmbeddingModel.fingerprint` of the model that made them.
        other_dimension: D of the embeddings that come to them.
        other_fingerprint: The fingerprint of theirs.
    """
    remedy = "Embed both with the same model."
    if dimension != other_dimension:
        raise UserError(f"embeddings of dimension {dimension}", f"dimension {other_dimension}", remedy)
    if fingerprint != other_fingerprint:
        raise UserError(f"embeddings of the model with fingerprint {fingerprint[:12]}",
                        f"fingerprint {other_fingerprint[:12]}", remedy)
