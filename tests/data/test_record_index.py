import dataclasses
import logging
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError
from landmark_zoo.data import record_index
from landmark_zoo.data.examples import Example, parse_example, serialize_example, write_record_file
from landmark_zoo.data.input_pipeline import evaluation_dataset, train_dataset
from landmark_zoo.data.manifest import LabelMap, Manifest, Shard, read_manifest
from landmark_zoo.data.record_index import RECORD_INDEX, read_record_ids, read_record_index, read_records, record_offsets
from tests.data.conftest import endless_record


@pytest.fixture
def manifest(records):
    return records({"a": 5, "b": 9, "c": 1})


def scan(manifest):
    """Yields (file, record's bytes, example) as a plain reading finds them."""
    for number, file in enumerate(manifest.files):
        for record in tf.data.TFRecordDataset(file).as_numpy_iterator():
            yield number, record, parse_example(record)


def same(first, second):
    names = [field.name for field in dataclasses.fields(first)]
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in names)


def test_equals_a_plain_reading(manifest):
    index = read_record_index(manifest)
    plain = list(scan(manifest))
    assert len(index) == len(plain) == 15
    for n, (file, record, example) in enumerate(plain):
        assert index.file[n] == file
        assert (index.label[n], index.height[n], index.width[n]) == (example.label, example.height, example.width)
        with open(manifest.files[file], "rb") as stream:
            stream.seek(index.offset[n] + 12)
            assert stream.read(index.length[n]) == record


def test_a_kept_index_needs_no_records(manifest):
    first = read_record_index(manifest)
    assert (manifest.directory / RECORD_INDEX).is_file()
    for file in manifest.files:
        os.remove(file)
    assert same(first, read_record_index(manifest))


def test_a_folder_of_records_with_an_index_is_still_whole(manifest):
    read_record_index(manifest)
    assert read_manifest(manifest.directory).num_examples == 15


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"nonsense"])
def test_an_unreadable_index_is_made_anew(manifest, content):
    first = read_record_index(manifest)
    (manifest.directory / RECORD_INDEX).write_bytes(content)
    assert same(first, read_record_index(manifest))
    assert (manifest.directory / RECORD_INDEX).stat().st_size > 300


@pytest.mark.parametrize("spoil", [
    lambda table: table[:-1], lambda table: table["label"], lambda table: table[::-1], lambda table: table[:0],
    lambda table: np.stack([table, table])])
def test_an_index_of_other_records_is_made_anew(manifest, spoil):
    first = read_record_index(manifest)
    path = manifest.directory / RECORD_INDEX
    np.save(path, spoil(np.load(path)))
    assert same(first, read_record_index(manifest))


@pytest.mark.parametrize("column", ["file", "offset", "length", "label"])
def test_a_number_that_is_off_is_noticed(manifest, column):
    first = read_record_index(manifest)
    path = manifest.directory / RECORD_INDEX
    table = np.load(path)
    table[column][3] += 1
    np.save(path, table)
    assert same(first, read_record_index(manifest))


def test_nothing_is_unpickled(manifest):
    first = read_record_index(manifest)
    np.save(manifest.directory / RECORD_INDEX, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert same(first, read_record_index(manifest))


def test_a_folder_that_cannot_be_written_is_only_a_warning(manifest, monkeypatch, caplog):
    def refuse(path, array):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(record_index, "write_npy", refuse)
    with caplog.at_level(logging.WARNING, logger="absl"):
        assert len(read_record_index(manifest)) == 15
    assert "not kept" in caplog.text
    assert not (manifest.directory / RECORD_INDEX).exists()


def test_a_damaged_file_is_one_clear_line(manifest):
    with open(manifest.files[1], "r+b") as file:
        file.seek(300)
        file.write(b"damage")
    with pytest.raises(UserError, match=r"whole records in .*00001-of-00004.tfrecord; received .*corrupted record") as error:
        read_record_index(manifest)
    assert "\n" not in str(error.value)
    assert not (manifest.directory / RECORD_INDEX).exists()


@pytest.mark.parametrize("cut", [1, 4, 100])
def test_a_file_that_is_cut_off_is_one_clear_line(manifest, cut):
    os.truncate(manifest.files[2], os.path.getsize(manifest.files[2]) - cut)
    with pytest.raises(UserError, match=r"whole records in .*00002-of-00004.tfrecord; received .*truncated record"):
        read_record_index(manifest)


def test_a_record_too_few_is_noticed(manifest):
    with open(manifest.files[0], "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        file.seek(length + 16)
        rest = file.read()
    with open(manifest.files[0], "wb") as file:
        file.write(rest)
    with pytest.raises(UserError, match=r"manifest of .* counts; received others"):
        read_record_index(manifest)


def test_another_label_map_is_noticed(manifest):
    with pytest.raises(UserError, match="received others"):
        read_record_index(dataclasses.replace(manifest, label_map=LabelMap(["a", "b"]), class_counts=(5, 10)))


@pytest.fixture
def written(records):
    return records({"a": 5, "b": 8})


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(0, 12), max_size=30))
def test_any_order_with_repeats_equals_the_records_in_order(written, numbers):
    in_order = list(tf.data.TFRecordDataset(written.files).as_numpy_iterator())
    found = read_records(written, read_record_index(written), np.array(numbers, int)).as_numpy_iterator()
    assert list(found) == [in_order[number] for number in numbers]


@pytest.mark.parametrize("numbers", [[13], [-1], [0.5], [[0]]])
def test_numbers_of_no_record_are_refused(written, numbers):
    with pytest.raises(ValueError, match="from 0 to 12; received"):
        read_records(written, read_record_index(written), numbers)


def test_damage_since_the_index_was_made_stops_the_reading(written):
    index = read_record_index(written)
    with open(written.files[0], "r+b") as file:
        file.seek(300)
        file.write(b"damage")
    with pytest.raises(tf.errors.DataLossError):
        list(read_records(written, index, [0]))
    assert len(list(read_records(written, index, [12, 11]))) == 2


@pytest.mark.parametrize("read", [
    read_record_index, read_record_ids,
    lambda manifest: train_dataset(manifest, image_size=32, batch_size=2, seed=0, epoch=0),
    lambda manifest: evaluation_dataset(manifest, image_size=32, batch_size=2)])
def test_a_length_beyond_the_file_never_reaches_tensorflow(written, read):
    endless_record(written.files[1], before=1)
    with pytest.raises(UserError, match=r"whole records in .*; received truncated record at \d+: 1,099,511,627,776 bytes"):
        read(written)


def test_a_length_beyond_the_file_since_the_index_was_made(written):
    index = read_record_index(written)
    endless_record(written.files[0])
    with pytest.raises(UserError, match="truncated record at 0"):
        read_records(written, index, [0])


def test_a_record_past_the_largest_is_refused_in_a_file_with_holes(tmp_path):
    endless_record(tmp_path / "holes")
    os.truncate(tmp_path / "holes", 2**40 + 2**20)
    assert "truncated record at 0" in record_offsets(tmp_path / "holes")[1]


def test_an_index_of_other_places_is_refused(written):
    index = read_record_index(written)
    moved = index.offset.copy()
    moved[0] += 1
    with pytest.raises(UserError, match=r"Remove record_index\.npy"):
        read_records(written, dataclasses.replace(index, offset=moved), [0])


def test_every_reader_looks_at_the_lengths_first():
    readers = {path.name for path in Path(record_index.__file__).parents[1].rglob("*.py")
               if "TFRecordDataset" in path.read_text(encoding="utf-8")}
    assert readers == {"record_index.py", "verify.py", "input_pipeline.py"}


def test_over_all_files(tmp_path):
    shards = []
    for name, ids in (("a", ["x1", "Ö2"]), ("b", []), ("c", ["x3"])):
        records = [serialize_example(Example(b"", one, 1, 1, 0, "7")) for one in ids]
        shards.append(Shard(name, *write_record_file(tmp_path / name, records)))
    manifest = Manifest(tmp_path, "train", LabelMap(["7"]), (3,), tuple(shards), 0, 0, 64, "", "")
    assert read_record_ids(manifest) == ["x1", "Ö2", "x3"]
