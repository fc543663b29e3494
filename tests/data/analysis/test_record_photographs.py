import io

from PIL import Image

from landmark_zoo.data.analysis.record_photographs import record_photographs


def test_reads_each_record_by_its_number(records):
    manifest = records({"a": 5, "b/c": 4}, num_shards=3)
    photographs = record_photographs(manifest)
    assert photographs.part == "train"
    assert len(photographs) == 9
    assert sorted(photographs.landmarks) == ["a"] * 5 + ["b/c"] * 4
    for number, (image_id, landmark) in enumerate(zip(photographs.ids, photographs.landmarks, strict=True)):
        assert image_id.startswith(landmark.replace("/", "_"))
        assert Image.open(io.BytesIO(photographs.read(number))).size == (64, 48)


def test_a_record_file_is_a_block(records):
    manifest = records({"a": 5, "b": 4}, num_shards=3)
    blocks = record_photographs(manifest).blocks
    assert [block.stop - block.start for block in blocks] == [shard.examples for shard in manifest.shards]
    assert [block.fingerprint for block in blocks] == [shard.sha256 for shard in manifest.shards]
    assert (blocks[0].start, blocks[-1].stop) == (0, 9)
