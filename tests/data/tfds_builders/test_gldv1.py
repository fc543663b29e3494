def test_dead_links_are_left_out(build, put):
    photos = put(*(f"train/{number:016x}.jpg" for number in range(20)))
    (photos / "train.csv").write_text('"id","url","landmark_id"\n' + "".join(
        f'"{number:016x}","u","{number % 2}"\n' for number in range(25)))
    splits = build("gldv1", photos).info.splits
    assert {name: split.num_examples for name, split in splits.items()} == {"train": 18, "validation": 2}
