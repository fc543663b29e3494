import numpy as np

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import find
from landmark_zoo.data.analysis.measure import MEASURES
from landmark_zoo.data.analysis.measured import Measured
from landmark_zoo.data.analysis.photographs import Photographs


def collection():
    table = np.zeros(4, MEASURES)
    table["readable"] = [True, False, True, True]
    table["hash"] = [7, 0, 2**50, 7]
    photographs = Photographs("train", list("pqrs"), ["a", "a", "b", "b"], [], lambda number: b"")
    return Collection([Measured(photographs, table, {1: "empty file"})], 1)


def test_pairs_carry_the_numbers_of_the_collection_and_pass_over_what_cannot_be_read():
    findings = find(["x"], collection())
    found = [column.tolist() for column in findings.pairs]
    assert found == [[0, 0], [3, 2], [0, 4]], "an equal one is paired with the first only"
    assert findings.balance.landmarks == ("a", "b")
    assert findings.judged is None
    assert findings.countries == []


def test_a_country_is_that_of_the_photograph_or_of_its_landmark():
    assert find(["x"], collection(), None, {"q": "Chad", "b": "Peru"}).countries == ["", "Chad", "Peru", "Peru"]
