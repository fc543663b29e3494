import pytest
import tensorflow_datasets as tfds

RAW = {"image/encoded": tfds.decode.SkipDecoding()}


@pytest.mark.parametrize("name", ["roxford5k", "rparis6k"])
def test_pictures_keep_their_bytes_so_that_boxes_hold(build, put, put_json, name):
    photos = put("jpg/all_souls_000013.jpg", "jpg/all_souls_000026.jpg", quality=40)
    put_json(f"gnd_{name}.json", {"imlist": ["all_souls_000013"], "qimlist": ["all_souls_000026"], "gnd": []})
    builder = build(name, photos)
    for split, number in (("index", "000013"), ("query", "000026")):
        found = [example["image/encoded"].numpy() for example in builder.as_dataset(split=split, decoders=RAW)]
        assert found == [(photos / f"jpg/all_souls_{number}.jpg").read_bytes()]
