"""Under which rules a figure was measured."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from landmark_zoo.core.errors import UserError

_COMPARED = ("model_name", "model_fingerprint")


@dataclasses.dataclass(frozen=True)
class ProtocolCard:
    """Everything that may move a metric besides the model's weights; figures with unlike cards are not comparable.

    Attributes:
        benchmark: Its name.
        protocol: "gldv2_retrieval", "revisited", "oxford" or "folder".
        ground_truth_sha256: Of the ground truth file.
        query_photographs_sha256: Over ids, boxes and file sizes of the query pictures.
        index_photographs_sha256: Likewise of the index pictures.
        crop: Whether and how queries were cut to their boxes.
        exif: Whether pictures were turned as their EXIF orientation says.
        resize: The model's resize rule.
        side: Its side in pixels.
        scales: Its scales.
        aggregation: How it puts scales together.
        whitening: Which whitening it holds.
        whitening_learnt_on: The data of that whitening.
        training_data: What the model was trained on.
        database_augmentation: How index images were moved towards their neighbours, "none" if they were not.
        query_expansion: How queries were.
        reranking: What ordered the index images again after the search, with its settings.
        distractors: What was added to the index.
        depth: How many places of each ranking were looked at.
        average_precision: The convention of AP.
        precision: The divisor of precision at k.
        junk: What happens to junk.
        queries_used: Queries in the means.
        queries_ignored: Queries that the ground truth leaves out.
        queries_missing: Used queries without an embedding; they count 0.
        index_images: Index images that were searched.
        index_images_missing: Index images without an embedding; those among the positives count as misses.
        interval: How the intervals were made.
        seed: Of the bootstrap.
        model_name: As the model says.
        model_fingerprint: SHA-256 of the SavedModel.
        versions: Of Python and the packages.
        git_commit: Of this project.
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
    def from_dict(cls, facts: Mapping[str, Any]) -> "ProtocolCard":
        """Returns the card that `to_dict` wrote; a UserError names what is missing or unknown."""
        names = {field.name for field in dataclasses.fields(cls)}
        unlike = names.symmetric_difference(facts)
        if unlike:
            raise UserError("a protocol card of this version", f"{', '.join(sorted(unlike))} missing or unknown",
                            "Evaluate again with this version.")
        return cls(**facts)

    def differences(self, other: "ProtocolCard") -> dict[str, tuple[Any, Any]]:
        """Returns what is unlike on two cards, as name to `(here, there)`.

        The model's name and fingerprint are left out: they are what one compares.
        """
        return {field.name: (getattr(self, field.name), getattr(other, field.name))
                for field in dataclasses.fields(self)
                if field.name not in _COMPARED and getattr(self, field.name) != getattr(other, field.name)}
