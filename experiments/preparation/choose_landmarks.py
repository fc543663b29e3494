"""Which landmarks of a catalogue are trained on."""

from pathlib import Path

from absl import logging

from landmark_zoo.core.files import read_csv
from landmark_zoo.data.catalogue import Catalogue
from landmark_zoo.data.sources.rgldv2 import overlapping_landmarks


def choose_landmarks(catalogue: Catalogue, root: str | Path, *, exclude_benchmark: str | None = None,
                     exclude: str | None = None, min_count: int = 1, top_classes: int | None = None) -> Catalogue:
    """Leaves out landmarks, in this order.

    Args:
        catalogue: All photographs.
        root: The collection's folder.
        exclude_benchmark: Folder with index.csv and test.csv: landmarks with a picture listed there go.
        exclude: "rgldv2": landmarks that show places of Oxford5k and Paris6k go (`overlapping_landmarks`); or a csv file
            with a column landmark_id: those listed go.
        min_count: Landmarks with fewer pictures go.
        top_classes: Of the rest only those with the most pictures stay.

    Raises:
        UserError: A list is missing or broken, or nothing is left.
    """
    if exclude_benchmark:
        ids = {row["id"] for name in ("index.csv", "test.csv") for row in read_csv(Path(exclude_benchmark, name), ["id"])}
        catalogue = _without(catalogue, catalogue.landmarks_of(ids), f"have pictures in {exclude_benchmark}")
    if exclude == "rgldv2":
        catalogue = _without(catalogue, overlapping_landmarks(root), "show places of Oxford5k and Paris6k")
    elif exclude:
        catalogue = _without(catalogue, {row["landmark_id"] for row in read_csv(exclude, ["landmark_id"])},
                             f"are listed in {exclude}")
    catalogue = catalogue.with_min_count(min_count)
    if top_classes:
        catalogue = catalogue.with_most_pictures(top_classes)
    counts = catalogue.landmark_counts
    logging.info("%d pictures of %d landmarks, %d of them with one picture", len(catalogue), len(counts),
                 sum(count == 1 for count in counts.values()))
    return catalogue


def _without(catalogue: Catalogue, landmarks: set[str], reason: str) -> Catalogue:
    kept = catalogue.without_landmarks(landmarks)
    logging.info("%d landmarks %s and are left out, with %d pictures", len(landmarks), reason, len(catalogue) - len(kept))
    return kept
