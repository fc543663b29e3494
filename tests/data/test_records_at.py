import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landmark_zoo.data.record_index import read_record_index
from landmark_zoo.data.records_at import records_at


@pytest.fixture
def manifest(records):
    return records({"a": 5, "b": 8})


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(0, 12), max_size=30))
def test_any_order_with_repeats_equals_the_records_in_order(manifest, numbers):
    in_order = list(tf.data.TFRecordDataset(manifest.files).as_numpy_iterator())
    found = records_at(manifest, read_record_index(manifest), np.array(numbers, int)).as_numpy_iterator()
    assert list(found) == [in_order[number] for number in numbers]


@pytest.mark.parametrize("numbers", [[13], [-1], [0.5], [[0]]])
def test_numbers_of_no_record_are_refused(manifest, numbers):
    with pytest.raises(ValueError, match="from 0 to 12; received"):
        records_at(manifest, read_record_index(manifest), numbers)


def test_damage_since_the_index_was_made_stops_the_reading(manifest):
    index = read_record_index(manifest)
    with open(manifest.files[0], "r+b") as file:
        file.seek(300)
        file.write(b"damage")
    with pytest.raises(tf.errors.DataLossError):
        list(records_at(manifest, index, [0]))
    assert len(list(records_at(manifest, index, [12, 11]))) == 2
