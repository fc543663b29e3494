from landmark_zoo.data.doctor.checks.readable import readable


def test_an_end_too_early_and_a_foreign_record(manifest, shard, scan):
    assert list(readable(manifest, shard, scan({}, {}))) == []
    assert list(readable(manifest, shard, scan({}, "no image/id", error="truncated"))) == [
        "cannot be read past record 2: truncated", "record 1 is of another format: no image/id"]
