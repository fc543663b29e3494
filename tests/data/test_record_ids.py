"""Ids in the order of the records' numbers."""

from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.data.manifest import Manifest, Shard
from landmark_zoo.data.record_file import write_record_file
from landmark_zoo.data.record_ids import read_record_ids
from landmark_zoo.data.schema import Example, serialize_example


def test_over_all_files(tmp_path):
    shards = []
    for name, ids in (("a", ["x1", "Ö2"]), ("b", []), ("c", ["x3"])):
        records = [serialize_example(Example(b"", one, 1, 1, 0, "7")) for one in ids]
        shards.append(Shard(name, *write_record_file(tmp_path / name, records)))
    manifest = Manifest(tmp_path, "train", LabelMap(["7"]), (3,), tuple(shards), 0, 0, 64, "", "")
    assert read_record_ids(manifest) == ["x1", "Ö2", "x3"]
