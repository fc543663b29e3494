from landmark_zoo.data.doctor.checks.checksum import checksum


def test_another_file(manifest, shard, scan):
    assert list(checksum(manifest, shard, scan({}, {}))) == []
    found = list(checksum(manifest, shard, scan({}, {}, sha256="0" * 64)))
    assert found == ["SHA-256 000000000000... instead of abababababab..."]
