"""What one query found."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from landmark_zoo.metrics.best_places import best_places
from landmark_zoo.metrics.counted_ranks import counted_ranks
from landmark_zoo.metrics.ranks_without_junk import ranks_without_junk

FIRST = 100


@dataclass(frozen=True)
class Answer:
    """A ranking, as far as any protocol needs it.

    Attributes:
        labelled: The images that the ground truth labels and their 0-based places, best first; an image that was listed
            twice stands here twice.
        first: The first `FIRST` images and their scores, NaN where there are none.
    """

    labelled: Sequence[tuple[str, int]] = ()
    first: Sequence[tuple[str, float]] = ()

    @classmethod
    def of_scores(cls, scores: np.ndarray, ids: Sequence[str], rows: dict[str, int], labelled: Collection[str]) -> "Answer":
        """Ranks by falling score, equal scores in the order of the index.

        Args:
            scores: Of every index image, float [N].
            ids: Their names.
            rows: The names of those in the benchmark to their places in `ids`.
            labelled: Those that the ground truth labels.
        """
        present = [image for image in labelled if image in rows]
        places = counted_ranks(scores, [rows[image] for image in present])
        return cls(sorted(zip(present, places.tolist(), strict=True), key=lambda item: item[1]),
                   [(ids[row], float(scores[row])) for row in best_places(scores, FIRST)])

    @classmethod
    def of_ranking(cls, ranking: Sequence[str], labelled: Collection[str]) -> "Answer":
        """Takes a list of images, best first, whole or truncated."""
        return cls([(image, place) for place, image in enumerate(ranking) if image in labelled],
                   [(image, float("nan")) for image in ranking[:FIRST]])

    def ranks(self, positives: Collection[str], junk: Collection[str] = ()) -> np.ndarray:
        """Returns the increasing ranks of the positives found, junk taken out, as `metrics.ranks.positive_ranks` does."""
        first: dict[str, int] = {}
        for image, place in self.labelled:
            if image in positives:
                first.setdefault(image, place)
        return ranks_without_junk(list(first.values()), [place for image, place in self.labelled if image in junk])
