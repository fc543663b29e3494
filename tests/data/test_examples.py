import errno
import hashlib
import os

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.data import examples as module
from landmark_zoo.data.datasets.image_list import ImageEntry
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.data.examples import Example, make_record, parse_example, serialize_example, write_record_file

EXAMPLE = Example(b"\xff\xd8", "0123456789abcdef", 48, 64, 7, "wonders/taj_mahal")


@settings(max_examples=50)
@given(encoded=st.binary(), image_id=st.text(), height=st.integers(0, 2**40), width=st.integers(0, 2**40),
       label=st.integers(0, 2**31), landmark_id=st.text())
def test_what_is_written_is_read(encoded, image_id, height, width, label, landmark_id):
    parsed = parse_example(serialize_example(Example(encoded, image_id, height, width, label, landmark_id)))
    assert parsed.encoded.numpy() == encoded
    assert parsed.id.numpy().decode() == image_id
    assert (int(parsed.height), int(parsed.width), int(parsed.label)) == (height, width, label)
    assert parsed.landmark_id.numpy().decode() == landmark_id


def test_keys_are_those_of_the_format():
    record = tf.train.Example.FromString(serialize_example(EXAMPLE))
    assert set(record.features.feature) == {"image/encoded", "image/id", "image/height", "image/width",
                                            "image/class/label", "image/class/landmark_id"}


def test_equal_examples_give_equal_bytes():
    assert len({serialize_example(EXAMPLE) for _ in range(20)}) == 1


def test_parsing_works_inside_a_data_set():
    dataset = tf.data.Dataset.from_tensors(serialize_example(EXAMPLE)).map(parse_example)
    parsed = next(iter(dataset))
    assert isinstance(parsed, Example)
    assert int(parsed.label) == 7
    assert parsed.height.dtype == tf.int64


def test_a_foreign_record_is_refused():
    foreign = tf.train.Example(features=tf.train.Features(feature={
        "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x"]))})).SerializeToString()
    with pytest.raises(tf.errors.InvalidArgumentError, match="image/"):
        parse_example(foreign)


@pytest.fixture
def entry(tmp_path, make_image, encode):
    (tmp_path / "a.jpg").write_bytes(encode(make_image(80, 120)))
    return ImageEntry("a", str(tmp_path / "a.jpg"), "taj")


def test_a_record_is_its_image(entry):
    made = make_record(entry, 7, max_side=60)
    example = parse_example(made.serialized)
    assert made.original_size == (80, 120)
    assert tf.io.decode_jpeg(example.encoded).shape == (40, 60, 3)
    assert (int(example.height), int(example.width), int(example.label)) == (40, 60, 7)
    assert (example.id.numpy(), example.landmark_id.numpy()) == (b"a", b"taj")
    assert make_record(entry, 7, max_side=60) == made


def test_small_jpegs_keep_their_bytes(entry, tmp_path):
    example = parse_example(make_record(entry, 0, max_side=None).serialized)
    assert example.encoded.numpy() == (tmp_path / "a.jpg").read_bytes()


def test_what_tensorflow_refuses_is_bad(entry, monkeypatch):
    def refuse(encoded):
        raise tf.errors.InvalidArgumentError(None, None, "no")

    monkeypatch.setattr(module, "decode_image", refuse)
    with pytest.raises(InvalidImageError, match="refused by TensorFlow"):
        make_record(entry, 0, max_side=60)


def test_a_missing_file_is_bad(tmp_path):
    with pytest.raises(InvalidImageError, match="no such file"):
        make_record(ImageEntry("a", str(tmp_path / "a.jpg"), "taj"), 0, max_side=60)


def test_records_come_back_in_order_with_their_facts(tmp_path):
    path = tmp_path / "a.tfrecord"
    count, size, digest = write_record_file(path, (b"x" * n for n in range(5)))
    assert [len(record) for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()] == [0, 1, 2, 3, 4]
    assert (count, size, digest) == (5, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())


def test_an_error_among_the_records_leaves_nothing(tmp_path):
    def records():
        yield b"x"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_record_file(tmp_path / "a.tfrecord", records())
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_an_os_error_and_leaves_nothing(tmp_path, monkeypatch):
    class Full(tf.io.TFRecordWriter):
        def write(self, record):
            raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.io, "TFRecordWriter", Full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_record_file(tmp_path / "a.tfrecord", [b"x"])
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / "a.tfrecord")
    assert os.listdir(tmp_path) == []


def test_what_was_there_stays_until_the_new_file_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.tfrecord"
    write_record_file(path, [b"old"])
    old = path.read_bytes()

    def fail(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_record_file(path, [b"new"])
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["a.tfrecord"]
