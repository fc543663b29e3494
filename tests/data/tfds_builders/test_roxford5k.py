def test_index_images_and_queries(build, put, put_json):
    names = [f"all_souls_{number:06d}" for number in range(5)]
    photos = put(*(f"jpg/{name}.jpg" for name in names))
    put_json("gnd_roxford5k.json", {"imlist": names[:3], "qimlist": names[3:], "gnd": []})
    splits = build("roxford5k", photos).info.splits
    assert {name: split.num_examples for name, split in splits.items()} == {"index": 3, "query": 2}
