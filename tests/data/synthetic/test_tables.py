"""The lists of a small collection on disk, read as a user of GLDv2 reads them."""

import json

import numpy as np
from PIL import Image

from landmark_zoo.core.files import read_csv
from landmark_zoo.data.gldv2 import read_gldv2


def rows(collection, name, *columns):
    found = list(read_csv(collection / f"{name}.csv", columns))
    assert found
    assert list(found[0]) == list(columns)
    return found


def test_training_lists(collection):
    train = rows(collection, "train", "id", "url", "landmark_id")
    clean = {row["landmark_id"]: row["images"].split()
             for row in rows(collection, "train_clean", "landmark_id", "images")}
    names = {row["landmark_id"]: row["category"]
             for row in rows(collection, "train_label_to_category", "landmark_id", "category")}
    noisy = {row["id"]: row["landmark_id"] for row in train}
    kept = [image for images in clean.values() for image in images]
    assert set(names) == set(noisy.values())
    assert all(name.startswith("http://commons.wikimedia.org/wiki/Category:") for name in names.values())
    assert len(kept) == len(set(kept)) < len(noisy)
    assert all(noisy[image] == landmark for landmark, images in clean.items() for image in images)


def test_the_reader_of_gldv2_finds_every_picture(collection):
    full, clean = read_gldv2(collection, strict=True), read_gldv2(collection, clean=True, strict=True)
    assert not full.missing
    assert 0 < len(clean) < len(full)


def test_benchmark_lists(collection):
    index = [row["id"] for row in rows(collection, "index", "id")]
    test = [row["id"] for row in rows(collection, "test", "id")]
    landmark = {row["id"]: row["landmark_id"] for row in rows(collection, "index_image_to_landmark", "id", "landmark_id")}
    retrieval = rows(collection, "retrieval_solution", "id", "images", "Usage")
    recognition = rows(collection, "recognition_solution", "id", "landmarks", "Usage")
    assert [row["id"] for row in retrieval] == [row["id"] for row in recognition] == test
    assert set(landmark) < set(index)
    for query, answer in zip(retrieval, recognition, strict=True):
        if answer["landmarks"]:
            assert query["Usage"] in ("Public", "Private")
            assert set(query["images"].split()) == {image for image in index
                                                    if landmark.get(image) == answer["landmarks"]}
        else:
            assert (query["images"], query["Usage"]) == ("None", "Ignored")
    assert any(not answer["landmarks"] for answer in recognition)
    assert not set(landmark.values()) & {row["landmark_id"] for row in read_csv(collection / "train.csv", ["landmark_id"])}
    for split, ids in (("index", index), ("test", test)):
        assert all((collection / split / name[0] / name[1] / name[2] / f"{name}.jpg").is_file() for name in ids)


def test_revisited_ground_truth(collection):
    truth = json.loads((collection / "revisited" / "gnd_synthetic.json").read_text())
    assert set(truth) == {"imlist", "qimlist", "gnd"}
    assert not set(truth["imlist"]) & set(truth["qimlist"])
    assert len(truth["gnd"]) == len(truth["qimlist"])
    for name, query in zip(truth["qimlist"], truth["gnd"], strict=True):
        assert set(query) == {"bbx", "easy", "hard", "junk"}
        with Image.open(collection / "revisited" / "jpg" / f"{name}.jpg") as picture:
            width, height = picture.size
            assert picture.getexif().get(0x0112, 1) == 1
        x1, y1, x2, y2 = query["bbx"]
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
        places = query["easy"] + query["hard"] + query["junk"]
        assert len(places) == len(set(places))
        assert {truth["imlist"][place].rsplit("_", 1)[0] for place in places} == {name.rsplit("_", 1)[0]}
    assert all((collection / "revisited" / "jpg" / f"{name}.jpg").is_file() for name in truth["imlist"])


def test_gray_pictures_and_turned_ones_are_among_them(collection):
    modes, turned = [], []
    for path in sorted(collection.glob("[ti][rne]*/*/*/*/*.jpg")):
        with Image.open(path) as picture:
            modes.append(picture.mode)
            turned.append(picture.getexif().get(0x0112, 1) != 1)
            assert np.asarray(picture).std() > 1
    assert set(modes) == {"L", "RGB"}
    assert 0 < sum(turned) < len(turned)
