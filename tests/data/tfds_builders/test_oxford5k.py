import tensorflow_datasets as tfds

RAW = {"image/encoded": tfds.decode.SkipDecoding()}


def test_pictures_keep_their_bytes(build, put):
    photos = put("jpg/all_souls_000013.jpg", "jpg/all_souls_000026.jpg", quality=40)
    (photos / "jpg/all_souls_000099.jpg").write_bytes(b"damaged")
    found = list(build("oxford5k", photos).as_dataset(split="index", decoders=RAW))
    assert {example["image/class/landmark_id"].numpy() for example in found} == {b"all_souls"}
    assert {example["image/encoded"].numpy() for example in found} == {
        (photos / f"jpg/all_souls_{name}.jpg").read_bytes() for name in ("000013", "000026")}
