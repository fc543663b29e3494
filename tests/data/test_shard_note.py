import pytest

from landmark_zoo.data.manifest import Shard
from landmark_zoo.data.shard_note import ShardNote

NOTE = ShardNote(Shard("train-00000-of-00001.tfrecord", 1, 4, "ab"), (("x", "x.jpg", "empty file"),), ((40, 60), None))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / NOTE.shard.name).write_bytes(b"1234")
    NOTE.save(tmp_path)
    return tmp_path


def test_round_trip(folder):
    assert ShardNote.load(folder, NOTE.shard.name) == NOTE


def test_a_note_counts_only_beside_its_whole_file(folder):
    (folder / NOTE.shard.name).write_bytes(b"123")
    assert ShardNote.load(folder, NOTE.shard.name) is None
    (folder / NOTE.shard.name).unlink()
    assert ShardNote.load(folder, NOTE.shard.name) is None


def test_no_note(tmp_path):
    assert ShardNote.load(tmp_path, "a.tfrecord") is None
