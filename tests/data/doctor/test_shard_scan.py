import pytest
import tensorflow as tf

from landmark_zoo.core.files import sha256
from landmark_zoo.data.doctor.shard_scan import RecordFacts, scan_shard
from landmark_zoo.data.schema import Example, serialize_example


@pytest.fixture
def path(tmp_path, picture, encode):
    encoded = encode(picture(40, 60))
    with tf.io.TFRecordWriter(str(tmp_path / "s.tfrecord")) as writer:
        for number in range(100):
            writer.write(serialize_example(Example(encoded, f"r{number}", 40, 60, number, "Ünï")))
        writer.write(b"foreign")
        writer.write(serialize_example(Example(encoded[:40], "cut", 40, 60, 0, "x")))
    return tmp_path / "s.tfrecord"


def test_everything_is_read_in_order(path):
    scan = scan_shard(path)
    assert (scan.name, scan.sha256, scan.error) == ("s.tfrecord", sha256(path), None)
    assert scan.records[:100] == tuple(RecordFacts(f"r{n}", n, "Ünï", (40, 60), (40, 60)) for n in range(100))
    assert isinstance(scan.records[100], str)
    assert isinstance(scan.records[101].picture, str)


def test_reading_ends_at_damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) * 9 // 10] ^= 1
    path.write_bytes(data)
    scan = scan_shard(path)
    assert 80 < len(scan.records) < 100
    assert scan.error.startswith("corrupted record at ")
