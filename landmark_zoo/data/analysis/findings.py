"""All that was found out about a collection."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from landmark_zoo.data.analysis.class_balance import ClassBalance, class_balance
from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.judged import Judged
from landmark_zoo.data.analysis.near_duplicates import Pairs, near_duplicates


@dataclass(frozen=True)
class Findings:
    """What the page on a collection shows.

    Attributes:
        source: What the user named: folders, or a csv file.
        collection: The measured photographs.
        balance: Of the data, over all listed photographs that are there, readable or not.
        pairs: Near-duplicates, as numbers of the collection.
        judged: Label noise; None without embeddings.
        countries: Of each photograph of the data, "" where unknown; empty where no table names any.
    """

    source: Sequence[str]
    collection: Collection
    balance: ClassBalance
    pairs: Pairs
    judged: Judged | None = None
    countries: list[str] = field(default_factory=list)


def find(source: Sequence[str], collection: Collection, judged: Judged | None = None,
         country_of: dict[str, str] | None = None) -> Findings:
    """Draws the conclusions from what was measured.

    Args:
        source: What the user named: folders, or a csv file.
        collection: The measured photographs.
        judged: Label noise, where there are embeddings.
        country_of: Picture's id or landmark to country.
    """
    photographs = range(collection.data_size)
    rows = np.flatnonzero(collection.readable)
    pairs = near_duplicates(collection.table["hash"][rows], collection.part_of[rows])
    countries = [country_of.get(collection.id(number)) or country_of.get(collection.landmark(number), "")
                 for number in photographs] if country_of else []
    return Findings(source, collection, class_balance(collection.landmark(number) for number in photographs),
                    Pairs(rows[pairs.first], rows[pairs.second], pairs.bits), judged, countries)
