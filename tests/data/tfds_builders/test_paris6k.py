import tensorflow_datasets as tfds

RAW = {"image/encoded": tfds.decode.SkipDecoding()}


def test_pictures_keep_their_bytes(build, put):
    photos = put("jpg/paris_defense_000013.jpg", "jpg/paris_defense_000026.jpg", quality=40)
    (photos / "jpg/paris_defense_000099.jpg").write_bytes(b"damaged")
    found = list(build("paris6k", photos).as_dataset(split="index", decoders=RAW))
    assert {example["image/class/landmark_id"].numpy() for example in found} == {b"paris_defense"}
    assert {example["image/encoded"].numpy() for example in found} == {
        (photos / f"jpg/paris_defense_{name}.jpg").read_bytes() for name in ("000013", "000026")}
