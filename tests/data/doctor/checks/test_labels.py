from landmark_zoo.data.doctor.checks.labels import labels


def test_labels_beyond_and_of_others(manifest, shard, scan):
    assert list(labels(manifest, shard, scan({}, {"label": 1, "landmark_id": "y"}, "foreign"))) == []
    assert list(labels(manifest, shard, scan({"label": -1}, {"label": 1}))) == [
        "record 0 (r0): label -1, not from 0 to 1", "record 1 (r1): label 1 is 'y', the record says 'x'"]
