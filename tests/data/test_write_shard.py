import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.catalogue import Entry
from landmark_zoo.data.make_record import MadeRecord
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.data.shard_note import ShardNote
from landmark_zoo.data.write_shard import write_shard

RESULTS = [(Entry("a", "a.jpg", "x"), MadeRecord(b"one", (40, 60))),
           (Entry("b", "b.jpg", "x"), BadPhotograph("empty file")),
           (Entry("c", "c.jpg", "y"), MadeRecord(b"two", (50, 50)))]


def test_good_ones_are_written_and_bad_ones_noted(tmp_path):
    note = write_shard(tmp_path, "s.tfrecord", iter(RESULTS))
    assert list(tf.data.TFRecordDataset(str(tmp_path / "s.tfrecord")).as_numpy_iterator()) == [b"one", b"two"]
    assert note.shard.examples == 2
    assert note.skipped == (("b", "b.jpg", "empty file"),)
    assert note.original_sizes == ((40, 60), None, (50, 50))
    assert ShardNote.load(tmp_path, "s.tfrecord") == note


def test_strict(tmp_path):
    with pytest.raises(UserError, match=r"b\.jpg: empty file"):
        write_shard(tmp_path, "s.tfrecord", iter(RESULTS), strict=True)
    assert not (tmp_path / "s.tfrecord").exists()
