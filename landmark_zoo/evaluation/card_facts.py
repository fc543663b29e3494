"""The part of the protocol card that model and embeddings tell."""

from collections.abc import Mapping
from typing import Any

from landmark_zoo.core.provenance import versions

NOT_STATED = "not stated"
_STATED_BY_MODEL = ("resize", "side", "scales", "aggregation", "whitening", "whitening_learnt_on", "training_data")
_EXIF = {True: "turned", False: "as stored"}


def card_facts(queries: Mapping[str, Any] | None, index: Mapping[str, Any] | None, model_fingerprint: str) -> dict[str, Any]:
    """Returns the fields of a `ProtocolCard` that provenance tells; "not stated" where it is silent.

    Args:
        queries: Provenance of the embeddings of the queries, as `retrieval.embed` and what follows it write it; None where
            nothing is known.
        index: Likewise of the index images, of the same model.
        model_fingerprint: SHA-256 of that model.
    """
    augmented = NOT_STATED if index is None else _steps(index, "database augmentation")
    expanded = NOT_STATED if queries is None else _steps(queries, "query expansion")
    queries, index = queries or {}, index or {}
    info = index.get("model", {})
    exif = [_EXIF.get(provenance.get("apply_exif"), NOT_STATED) for provenance in (queries, index)]
    return {
        "query_photographs_sha256": queries.get("photographs_sha256", NOT_STATED),
        "index_photographs_sha256": index.get("photographs_sha256", NOT_STATED),
        "crop": _crop(queries.get("cropped")),
        "exif": exif[0] if exif[0] == exif[1] else f"queries {exif[0]}, index {exif[1]}",
        **{key: info.get(key, NOT_STATED) for key in _STATED_BY_MODEL},
        "database_augmentation": augmented,
        "query_expansion": expanded,
        "model_name": info.get("name", NOT_STATED),
        "model_fingerprint": model_fingerprint,
        "versions": index.get("versions", versions()),
    }


def _steps(provenance: Mapping[str, Any], name: str) -> str:
    """Returns the settings of every step of that name in the list that `retrieval.processed` keeps."""
    steps = [step.partition(": ") for step in provenance.get("steps", [])]
    return ", then ".join(settings for step, _, settings in steps if step == name) or "none"


def _crop(cropped: int | None) -> str:
    if cropped is None:
        return NOT_STATED
    return "queries cut to their boxes, in pixels of the file, before the resize" if cropped else "none, whole queries"
