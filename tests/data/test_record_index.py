import dataclasses
import logging
import os

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data import record_index
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.record_index import RECORD_INDEX, read_record_index
from landmark_zoo.data.schema import parse_example


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


def test_is_kept_and_the_records_are_not_read_again(manifest, monkeypatch):
    first = read_record_index(manifest)
    assert (manifest.directory / RECORD_INDEX).is_file()
    monkeypatch.setattr(record_index, "_scan", lambda manifest: pytest.fail("read again"))
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
