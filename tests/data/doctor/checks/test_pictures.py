from landmark_zoo.data.doctor.checks.pictures import pictures


def test_a_picture_that_is_none(manifest, shard, scan):
    assert list(pictures(manifest, shard, scan({}, "foreign"))) == []
    assert list(pictures(manifest, shard, scan({}, {"picture": "cut off"}))) == [
        "record 1 (r1): cannot be decoded: cut off"]
