"""What the page shows in part, as whole tables."""

from pathlib import Path

from landmark_zoo.core.files import write_csv
from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import Findings


def write_lists(output: str | Path, findings: Findings) -> None:
    """Writes `duplicates.csv`, `unreadable.csv` and, where there are embeddings, `noise.csv` with the strangest first.

    Args:
        output: The folder.
        findings: What was found.
    """
    output, collection, pairs = Path(output), findings.collection, findings.pairs
    write_csv(output / "duplicates.csv", ["part", "id", "landmark", "other_part", "other_id", "other_landmark", "bits"], (
        (*_named(collection, one), *_named(collection, other), bits)
        for one, other, bits in zip(*map(list, pairs), strict=True)))
    write_csv(output / "unreadable.csv", ["part", "id", "reason"], (
        (part.photographs.part, part.photographs.ids[number], reason)
        for part in collection.parts for number, reason in part.faults.items()))
    if findings.judged is None:
        return
    judged = findings.judged
    write_csv(output / "noise.csv", ["part", "id", "landmark", "strangeness", "disagreement", "likelier_landmark"], (
        (*_named(collection, judged.numbers[place]), f"{judged.noise.strangeness[place]:.4f}",
         f"{judged.noise.disagreement[place]:.2f}", judged.landmarks[judged.noise.likelier[place]])
        for place in judged.strangest()))


def _named(collection: Collection, number: int) -> tuple[str, str, str]:
    return collection.name(number), collection.id(number), collection.landmark(number)
