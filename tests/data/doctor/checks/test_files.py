from landmark_zoo.data.doctor.checks.files import files


def test_missing_cut_and_extra(manifest, shard):
    path = manifest.directory / shard.name
    assert list(files(manifest)) == [(shard.name, "missing")]
    path.write_bytes(b"1234")
    assert list(files(manifest)) == [(shard.name, "4 bytes instead of 100")]
    path.write_bytes(b"1" * 100)
    (manifest.directory / "other.tfrecord").touch()
    assert list(files(manifest)) == [("other.tfrecord", "not in the manifest")]
