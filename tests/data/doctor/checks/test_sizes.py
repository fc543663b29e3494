import dataclasses

from landmark_zoo.data.doctor.checks.sizes import sizes


def test_another_size_than_stated(manifest, shard, scan):
    assert list(sizes(manifest, shard, scan({}, {"picture": "cut off"}, "foreign"))) == []
    assert list(sizes(manifest, shard, scan({"size": (60, 40)}))) == [
        "record 0 (r0): 60 x 40 px stated, 40 x 60 in the picture"]


def test_larger_than_the_manifest_allows(manifest, shard, scan):
    large = scan({"size": (65, 40), "picture": (65, 40)})
    assert list(sizes(manifest, shard, large)) == ["record 0 (r0): 65 x 40 px, more than 64"]
    assert list(sizes(dataclasses.replace(manifest, max_side=None), shard, large)) == []
