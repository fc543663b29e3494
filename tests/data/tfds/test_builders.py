import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.datasets.sfm120k import sfm_path
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.tfds.builders import BUILDERS, read_buildings, read_revisited


@pytest.mark.parametrize(("config", "counts"), [("clean", (9, 9)), ("noisy", (11, 9))])
def test_gldv2_configs(build, gldv2, config, counts):
    builder = build("gldv2", gldv2, config)
    assert read_manifest(Path(builder.data_dir, "train")).class_counts == counts
    assert builder.info.splits["validation"].num_examples == 2
    assert builder.info.full_name == f"gldv2/{config}/2.0.0"


def test_gldv2_with_max_side(build, gldv2):
    from landmark_zoo.data.tfds.builders import Gldv2

    builder = build("gldv2", gldv2, Gldv2.builder_configs["clean"].with_max_side(40))
    assert builder.info.full_name == "gldv2/clean-40/2.0.0"
    assert read_manifest(Path(builder.data_dir, "train")).max_side == 40
    assert read_manifest(Path(builder.data_dir, "train")).num_examples == 18


def test_gldv1_leaves_dead_links_out(build, put):
    photos = put(*(f"train/{number:016x}.jpg" for number in range(20)))
    (photos / "train.csv").write_text('"id","url","landmark_id"\n' + "".join(
        f'"{number:016x}","u","{number % 2}"\n' for number in range(25)))
    splits = build("gldv1", photos).info.splits
    assert {name: split.num_examples for name, split in splits.items()} == {"train": 18, "validation": 2}


RAW = {"image/encoded": tfds.decode.SkipDecoding()}


def test_oxford5k_keeps_bytes(build, put):
    photos = put("jpg/all_souls_000013.jpg", "jpg/all_souls_000026.jpg", quality=40)
    (photos / "jpg/all_souls_000099.jpg").write_bytes(b"damaged")
    found = list(build("oxford5k", photos).as_dataset(split="index", decoders=RAW))
    assert {example["image/class/landmark_id"].numpy() for example in found} == {b"all_souls"}
    assert {example["image/encoded"].numpy() for example in found} == {
        (photos / f"jpg/all_souls_{name}.jpg").read_bytes() for name in ("000013", "000026")}


def test_paris6k_keeps_bytes(build, put):
    photos = put("jpg/paris_defense_000013.jpg", "jpg/paris_defense_000026.jpg", quality=40)
    (photos / "jpg/paris_defense_000099.jpg").write_bytes(b"damaged")
    found = list(build("paris6k", photos).as_dataset(split="index", decoders=RAW))
    assert {example["image/class/landmark_id"].numpy() for example in found} == {b"paris_defense"}
    assert {example["image/encoded"].numpy() for example in found} == {
        (photos / f"jpg/paris_defense_{name}.jpg").read_bytes() for name in ("000013", "000026")}


def test_roxford5k_splits(build, put, put_json):
    names = [f"all_souls_{number:06d}" for number in range(5)]
    photos = put(*(f"jpg/{name}.jpg" for name in names))
    put_json("gnd_roxford5k.json", {"imlist": names[:3], "qimlist": names[3:], "gnd": []})
    splits = build("roxford5k", photos).info.splits
    assert {name: split.num_examples for name, split in splits.items()} == {"index": 3, "query": 2}


def test_rparis6k_splits(build, put, put_json):
    names = [f"paris_defense_{number:06d}" for number in range(5)]
    photos = put(*(f"jpg/{name}.jpg" for name in names))
    put_json("gnd_rparis6k.json", {"imlist": names[:3], "qimlist": names[3:], "gnd": []})
    splits = build("rparis6k", photos).info.splits
    assert {name: split.num_examples for name, split in splits.items()} == {"index": 3, "query": 2}


@pytest.mark.parametrize("name", ["roxford5k", "rparis6k"])
def test_revisited_keeps_bytes(build, put, put_json, name):
    photos = put("jpg/all_souls_000013.jpg", "jpg/all_souls_000026.jpg", quality=40)
    put_json(f"gnd_{name}.json", {"imlist": ["all_souls_000013"], "qimlist": ["all_souls_000026"], "gnd": []})
    builder = build(name, photos)
    for split, number in (("index", "000013"), ("query", "000026")):
        found = [example["image/encoded"].numpy() for example in builder.as_dataset(split=split, decoders=RAW)]
        assert found == [(photos / f"jpg/all_souls_{number}.jpg").read_bytes()]


def test_revisitop1m(build, put):
    builder = build("revisitop1m", put("0/a.jpg", "0/b.jpg", "1/a.jpg"))
    assert builder.info.splits["index"].num_examples == 3
    assert builder.info.features["image/class/label"].names == ["distractor"]


def test_sfm120k(build, put, put_json):
    cids = [f"{number:032x}" for number in range(6)]
    photos = put(*(sfm_path("ims", cid) for cid in cids))
    put_json("retrieval-SfM-120k.json", {"train": {"cids": cids[:4], "cluster": [5, 5, 7, 7]},
                                         "val": {"cids": cids[4:], "cluster": [9, 9]}})
    directory = Path(build("sfm120k", photos).data_dir)
    train, validation = (read_manifest(directory / split) for split in ("train", "validation"))
    assert list(train.label_map) == list(validation.label_map) == ["5", "7", "9"]
    assert (train.class_counts, validation.class_counts) == ((2, 2, 0), (0, 0, 2))


def test_landmark_folder_splits(build, photo_folder):
    splits = build("landmark_folder", photo_folder({"a": 20, "b": 1})).info.splits
    assert {name: split.num_examples for name, split in splits.items()} == {"train": 19, "validation": 2}


def test_synthetic(build):
    builder = build("synthetic", None, "tiny")
    assert builder.info.features["image/class/label"].num_classes == 4
    assert builder.info.splits["train"].num_examples >= 4


NAMES = ("all_souls_000013", "all_souls_000026", "christ_church_000179")


@pytest.fixture
def photos(put):
    return put(*(f"jpg/{name}.jpg" for name in NAMES))


def test_read_buildings(photos):
    assert [entry.landmark_id for entry in read_buildings(photos)] == ["all_souls", "all_souls", "christ_church"]


def test_read_buildings_with_ids(photos):
    image_list = read_buildings(photos, {NAMES[0], "oxford_000001"})
    assert [entry.id for entry in image_list] == [NAMES[0]]
    assert image_list.missing == ("oxford_000001",)


def test_read_revisited(photos, put_json):
    put_json("gnd_roxford5k.json", {"imlist": NAMES[:2], "qimlist": NAMES[2:], "gnd": []})
    parts = read_revisited(photos, "roxford5k")
    assert {split: [entry.id for entry in part] for split, part in parts.items()} == {
        "index": list(NAMES[:2]), "query": list(NAMES[2:])}


def test_read_revisited_by_names_with_their_suffix(photos, put_json):
    names = [f"{name}.jpg" for name in NAMES]
    put_json("gnd_roxford5k.json", {"imlist": names[:2], "qimlist": names[2:], "gnd": []})
    assert [len(part) for part in read_revisited(photos, "roxford5k").values()] == [2, 1]


@pytest.mark.parametrize("facts", [None, {"imlist": []}, []])
def test_read_revisited_without_lists(photos, put_json, facts):
    if facts is not None:
        put_json("gnd_roxford5k.json", facts)
    with pytest.raises(UserError, match="gnd_roxford5k"):
        read_revisited(photos, "roxford5k")


def test_builders_are_registered():
    assert set(BUILDERS) == {"gldv2", "gldv1", "oxford5k", "paris6k", "roxford5k", "rparis6k", "revisitop1m", "sfm120k",
                             "landmark_folder", "synthetic"}
    assert set(BUILDERS) <= set(tfds.list_builders())
    assert all(tfds.builder_cls(name) is builder for name, builder in BUILDERS.items())


def test_without_beam(root):
    code = "import sys; sys.modules['apache_beam'] = None; import landmark_zoo.data.tfds.builders"
    failed = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120)
    assert "UserError: Expected tensorflow-datasets and apache-beam" in failed.stderr
