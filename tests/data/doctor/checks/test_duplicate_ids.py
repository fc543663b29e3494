from landmark_zoo.data.doctor.checks.duplicate_ids import DuplicateIds


def test_in_a_file_and_between_splits(scan, shard):
    ids = DuplicateIds()
    assert list(ids.look("train", scan({}, {"id": "r0"}))) == [f"record 1: id r0 is also in train/{shard.name}"]
    assert list(ids.look("validation", scan({}, "foreign"))) == [f"record 0: id r0 is also in train/{shard.name}"]
    assert list(ids.look("validation", scan({"id": "other"}))) == []
