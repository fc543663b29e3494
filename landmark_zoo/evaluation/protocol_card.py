"""Protocol card: the conditions under which a metric was measured."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.provenance import versions
from landmark_zoo.data.protocol import Protocol

NOT_STATED = "not stated"
_COMPARED = ("model_name", "model_fingerprint")


@dataclasses.dataclass(frozen=True)
class ProtocolCard:
    """Everything that may move a metric besides the model's weights; figures with unlike cards are not comparable.

    Attributes:
        benchmark: Name of the benchmark.
        protocol: Name of the protocol: "gldv2_retrieval", "revisited", "oxford" or "folder".
        ground_truth_sha256: Checksum of the ground truth file.
        query_photographs_sha256: Checksum over ids, boxes and file sizes of the query images.
        index_photographs_sha256: Checksum over ids and file sizes of the index images.
        crop: Whether and how queries were cut to their boxes.
        exif: Whether images were turned by their EXIF orientation.
        resize: Resize rule of the model.
        side: Side in pixels of the model's input.
        scales: Scales of the model.
        aggregation: Rule by which the model puts scales together.
        whitening: Whitening inside the model.
        whitening_learnt_on: Data of that whitening.
        training_data: Data that the model was trained on.
        database_augmentation: Settings of database augmentation, "none" without it.
        query_expansion: Settings of query expansion, "none" without it.
        reranking: Method and settings of what ordered the index images again after the search.
        distractors: Images that were added to the index.
        depth: Number of places of each ranking that were looked at.
        average_precision: Convention of the average precision.
        precision: Divisor of precision at k.
        junk: Treatment of junk.
        queries_used: Number of queries in the means.
        queries_ignored: Number of queries that the ground truth leaves out.
        queries_missing: Number of used queries without an embedding; they count 0.
        index_images: Number of index images that were searched.
        index_images_missing: Number of index images without an embedding; positives among them count as misses.
        interval: Method of the intervals.
        seed: Seed of the bootstrap.
        model_name: Name that the model states.
        model_fingerprint: SHA-256 of the SavedModel.
        versions: Versions of Python and the packages.
        git_commit: Commit of this project.
    """

    benchmark: str
    protocol: str
    ground_truth_sha256: str
    query_photographs_sha256: str
    index_photographs_sha256: str
    crop: str
    exif: str
    resize: str
    side: int | str
    scales: Sequence[float] | str
    aggregation: str
    whitening: str
    whitening_learnt_on: str
    training_data: str
    average_precision: str
    precision: str
    junk: str
    queries_used: int
    queries_ignored: int
    queries_missing: int
    index_images: int
    index_images_missing: int
    interval: str
    seed: int
    model_name: str
    model_fingerprint: str
    versions: Mapping[str, str]
    git_commit: str
    database_augmentation: str = "none"
    query_expansion: str = "none"
    reranking: str = "none"
    distractors: str = "none"
    depth: str = "the whole index"

    def to_dict(self) -> dict[str, Any]:
        """Returns the card as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any], complete: bool = True) -> "ProtocolCard":
        """Returns the card that `to_dict` wrote.

        Args:
            facts: Field name to value.
            complete: Refuse other fields than this version has; otherwise missing ones are "not stated", and unknown ones
                left out.

        Raises:
            UserError: With `complete`, a missing or unknown field.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        unlike = names.symmetric_difference(facts)
        if unlike and complete:
            raise UserError("a protocol card of this version", f"{', '.join(sorted(unlike))} missing or unknown",
                            "Evaluate again with this version.")
        return cls(**{**dict.fromkeys(names, NOT_STATED), "versions": {},
                      **{name: facts[name] for name in names.intersection(facts)}})

    def differences(self, other: "ProtocolCard") -> dict[str, tuple[Any, Any]]:
        """Returns what is unlike on two cards, as name to `(here, there)`.

        The model's name and fingerprint are left out: they are what one compares.
        """
        return {field.name: (getattr(self, field.name), getattr(other, field.name))
                for field in dataclasses.fields(self)
                if field.name not in _COMPARED and getattr(self, field.name) != getattr(other, field.name)}


_STATED_BY_MODEL = ("resize", "side", "scales", "aggregation", "whitening", "whitening_learnt_on", "training_data")
_EXIF = {True: "turned", False: "as stored"}


def card_facts(queries: Mapping[str, Any] | None, index: Mapping[str, Any] | None, model_fingerprint: str) -> dict[str, Any]:
    """Returns the fields of a `ProtocolCard` that provenance tells; "not stated" where it is silent.

    Args:
        queries: Provenance of the embeddings of the queries, as `retrieval.embed` and what follows it write it; None where
            nothing is known.
        index: Provenance of the embeddings of the index images, of the same model.
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
        "crop": _crop(queries.get("cropped"), info),
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


def _crop(cropped: int | None, info: Mapping[str, Any]) -> str:
    if cropped is None:
        return NOT_STATED
    rules = {key: info[key] for key in ("resize_rule", "crop_rule", "box_rounding") if key in info}
    return f"queries cut to their boxes, {Protocol.from_constants(rules).crop_words}" if cropped else "none, whole queries"
