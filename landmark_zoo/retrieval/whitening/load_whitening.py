"""A whitening from its folder, of whichever kind."""

from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.retrieval.whitening.learnt_whitening import LearntWhitening
from landmark_zoo.retrieval.whitening.pca_whitening import PcaWhitening
from landmark_zoo.retrieval.whitening.whitening import Whitening

_KINDS = {whitening.kind: whitening for whitening in (PcaWhitening, LearntWhitening)}


def load_whitening(path: str | Path) -> Whitening:
    """Reads a folder that `Whitening.save` wrote; anything else is a UserError."""
    facts = read_json(Path(path) / "whitening.json")
    kind = facts.get("kind") if isinstance(facts, dict) else None
    if kind not in _KINDS:
        raise UserError(f"a whitening of kind {' or '.join(_KINDS)} at {path}", f"{kind!r}", "Fit it again.")
    return _KINDS[kind].load(path)
