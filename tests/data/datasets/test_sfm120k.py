import json
import pickle

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.data.datasets.sfm120k import read_sfm, read_sfm_pairs, sfm120k, sfm_listing, sfm_path
from landmark_zoo.data.manifest import read_manifest
from tests.data.download.archives import picture_bytes, tar_bytes
from tests.run_script import run_script

IDS = ["b1a9a7e1c3d4", "0011223344ff", "aabbccddeeff"]
LIST = {"train": {"cids": IDS, "cluster": [4, 4, 7], "qidxs": [0, 1], "pidxs": [1, 0]},
        "val": {"cids": IDS[:1], "cluster": [9], "qidxs": [], "pidxs": []}}


@pytest.fixture
def listing(tmp_path):
    def write(facts=LIST):
        path = tmp_path / "retrieval-SfM-120k.json"
        path.write_text(json.dumps(facts))
        return path
    return write


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "ims"
    for cid in IDS[:2]:
        path = folder / cid[-2:] / cid[-4:-2] / cid[-6:-4] / cid
        path.parent.mkdir(parents=True)
        path.write_bytes(b"jpeg")
    return folder


def test_sfm_path():
    assert sfm_path("ims", "b1a9a7e1c3d4") == "ims/d4/c3/e1/b1a9a7e1c3d4"


def test_read_sfm_json(listing, images):
    image_list = read_sfm(listing(), images)
    assert [(entry.id, entry.landmark_id) for entry in image_list] == [(IDS[0], "4"), (IDS[1], "4")]
    assert [entry.path for entry in image_list] == [sfm_path(images, cid) for cid in IDS[:2]]
    assert image_list.missing == (IDS[2],)
    assert [entry.landmark_id for entry in read_sfm(listing(), images, split="val")] == ["9"]


def test_read_sfm_csv(tmp_path, images):
    table = tmp_path / "train.csv"
    table.write_text(f"id,cluster\n{IDS[0]},4\n{IDS[1]},7\n")
    assert [(entry.id, entry.landmark_id) for entry in read_sfm(table, images)] == [(IDS[0], "4"), (IDS[1], "7")]


@pytest.mark.parametrize("name", ["cids", "cluster"])
@pytest.mark.parametrize("entry", [None, 0.5, ["a"], True])
def test_an_entry_of_another_type_is_named(listing, images, name, entry):
    with pytest.raises(UserError, match=rf"for {name}\[0\] in train of "):
        read_sfm(listing({"train": LIST["train"] | {name: [entry, *LIST["train"][name][1:]]}}), images)


def test_strict_refuses_an_image_without_file(listing, images):
    with pytest.raises(UserError, match=f"received 1 without one, first {IDS[2]}"):
        read_sfm(listing(), images, strict=True)


def test_read_sfm_pairs(listing, tmp_path):
    assert read_sfm_pairs(listing()) == [(IDS[0], IDS[1]), (IDS[1], IDS[0])]
    assert read_sfm_pairs(listing(), split="val") == []
    table = tmp_path / "pairs.csv"
    table.write_text("query,positive\na,b\nc,d\n")
    assert read_sfm_pairs(table) == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize("place", [3, -1, 0.5, "0", True])
def test_pair_outside_the_list(listing, place):
    with pytest.raises(UserError, match="places from 0 to 2"):
        read_sfm_pairs(listing({"train": LIST["train"] | {"qidxs": [0, place]}}))


@pytest.mark.parametrize("facts", [
    [], {"test": {}}, {"train": []}, {"train": {"cids": IDS}}, {"train": LIST["train"] | {"cluster": [1]}},
    {"train": LIST["train"] | {"cids": "text"}}])
def test_list_of_another_format(listing, images, facts):
    for read in (lambda path: read_sfm(path, images), read_sfm_pairs):
        with pytest.raises(UserError, match="lists cids and cluster of one length under 'train'"):
            read(listing(facts))


def test_a_pickle_is_refused(tmp_path, images):
    path = tmp_path / "retrieval-SfM-120k.pkl"
    path.write_bytes(b"\x80\x04}q\x00.")
    with pytest.raises(UserError, match="a JSON file"):
        read_sfm(path, images)


def test_sfm120k_files():
    assert [(file.path, file.unpack_to) for file in sfm120k().files] == [
        ("sfm120k/retrieval-SfM-120k.pkl", None), ("sfm120k/.archives/ims.tar.gz", "sfm120k/ims")]


CIDS = [f"{n:032x}" for n in range(1, 9)]
PART = {"cids": CIDS[:6], "cluster": [1, 1, 1, 4, 4, 4], "qidxs": [0, 3], "pidxs": [1, 4], "bbxs": None}
LISTING = {"train": PART, "val": {**PART, "cids": CIDS[6:], "cluster": [9, 9], "qidxs": [0], "pidxs": [1]}}


def test_sfm_listing_converts_the_pickle(tmp_path):
    (tmp_path / "retrieval-SfM-120k.pkl").write_bytes(pickle.dumps(LISTING, protocol=2))
    facts = read_json(sfm_listing(tmp_path))
    assert facts["train"] == {key: PART[key] for key in ("cids", "cluster", "qidxs", "pidxs")}
    (tmp_path / "retrieval-SfM-120k.pkl").unlink()
    assert sfm_listing(tmp_path).is_file()


@pytest.mark.parametrize("content", [pickle.dumps({"train": {}}), pickle.dumps([1]), pickle.dumps(print), b"<html>"])
def test_sfm_listing_refuses_other_pickles(tmp_path, content):
    (tmp_path / "retrieval-SfM-120k.pkl").write_bytes(content)
    with pytest.raises(UserError):
        sfm_listing(tmp_path)


def test_prepare_sfm120k(serve, tmp_path):
    base = "/cnnimageretrieval/data/train"
    images = {f"{cid[-2:]}/{cid[-4:-2]}/{cid[-6:-4]}/{cid}": picture_bytes(n) for n, cid in enumerate(CIDS)}
    server = serve({f"{base}/dbs/retrieval-SfM-120k.pkl": pickle.dumps(LISTING),
                    f"{base}/ims/ims.tar.gz": tar_bytes(images, gzipped=True)})
    done = run_script("experiments.prepare", source="sfm120k", data_dir=tmp_path, mirror=server.url, num_shards=2)
    assert done.code == 0, done.stderr
    train, validation = (read_manifest(tmp_path / "records/sfm120k" / part) for part in ("train", "validation"))
    assert (list(train.label_map), train.class_counts, validation.class_counts) == (["1", "4", "9"], (3, 3, 0), (0, 0, 2))
