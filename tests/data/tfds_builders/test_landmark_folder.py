def test_splits(build, photo_folder):
    splits = build("landmark_folder", photo_folder({"a": 20, "b": 1})).info.splits
    assert {name: split.num_examples for name, split in splits.items()} == {"train": 19, "validation": 2}
