from landmark_zoo.data.doctor.checks.count import count


def test_too_few(manifest, shard, scan):
    assert list(count(manifest, shard, scan({}, {}))) == []
    assert list(count(manifest, shard, scan({}))) == ["1 records instead of 2"]
