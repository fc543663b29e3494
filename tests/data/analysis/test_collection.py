import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.measure import MEASURES
from landmark_zoo.data.analysis.measured import Measured
from landmark_zoo.data.analysis.photographs import Photographs


def part(name, ids, readable=True):
    table = np.zeros(len(ids), MEASURES)
    table["readable"] = readable
    faults = {} if readable else dict.fromkeys(range(len(ids)), "empty file")
    return Measured(Photographs(name, ids, [f"L{image_id}" for image_id in ids], [],
                                lambda number: f"{name}{ids[number]}".encode()), table, faults)


def test_numbers_run_through_all_parts():
    collection = Collection([part("train", ["a", "b"]), part("index", []), part("queries", ["a"])], data_parts=1)
    assert (len(collection), collection.data_size) == (3, 2)
    assert collection.part_of.tolist() == [0, 0, 2]
    assert [collection.name(number) for number in range(3)] == ["train", "train", "queries"]
    assert (collection.id(2), collection.landmark(1), collection.read(2)) == ("a", "Lb", b"queriesa")


def test_data_without_a_readable_photograph_are_refused_with_the_reason():
    with pytest.raises(UserError, match=r"2 that are not \(empty file\)"):
        Collection([part("train", ["a", "b"], readable=False), part("index", ["c"])], data_parts=1)
