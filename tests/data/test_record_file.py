import errno
import hashlib
import os

import pytest
import tensorflow as tf

from landmark_zoo.data.record_file import write_record_file


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
