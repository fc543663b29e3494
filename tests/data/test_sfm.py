import json

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.sfm import read_sfm, read_sfm_pairs, sfm_path

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


def test_where_a_picture_lies():
    assert sfm_path("ims", "b1a9a7e1c3d4") == "ims/d4/c3/e1/b1a9a7e1c3d4"


def test_a_json_list(listing, images):
    catalogue = read_sfm(listing(), images)
    assert [(entry.id, entry.landmark_id) for entry in catalogue] == [(IDS[0], "4"), (IDS[1], "4")]
    assert [entry.path for entry in catalogue] == [sfm_path(images, cid) for cid in IDS[:2]]
    assert catalogue.missing == (IDS[2],)
    assert [entry.landmark_id for entry in read_sfm(listing(), images, split="val")] == ["9"]


def test_a_csv_table(tmp_path, images):
    table = tmp_path / "train.csv"
    table.write_text(f"id,cluster\n{IDS[0]},4\n{IDS[1]},7\n")
    assert [(entry.id, entry.landmark_id) for entry in read_sfm(table, images)] == [(IDS[0], "4"), (IDS[1], "7")]


def test_strict_refuses_a_picture_without_file(listing, images):
    with pytest.raises(UserError, match=f"received {IDS[2]} without one at"):
        read_sfm(listing(), images, strict=True)


def test_pairs_are_named_by_ids(listing, tmp_path):
    assert read_sfm_pairs(listing()) == [(IDS[0], IDS[1]), (IDS[1], IDS[0])]
    assert read_sfm_pairs(listing(), split="val") == []
    table = tmp_path / "pairs.csv"
    table.write_text("query,positive\na,b\nc,d\n")
    assert read_sfm_pairs(table) == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize("place", [3, -1, 0.5, "0"])
def test_a_pair_outside_the_list_is_one_line(listing, place):
    with pytest.raises(UserError, match="places from 0 to 2"):
        read_sfm_pairs(listing({"train": LIST["train"] | {"qidxs": [0, place]}}))


@pytest.mark.parametrize("facts", [
    [], {"test": {}}, {"train": []}, {"train": {"cids": IDS}}, {"train": LIST["train"] | {"cluster": [1]}},
    {"train": LIST["train"] | {"cids": "text"}}])
def test_a_list_of_another_kind_is_one_line(listing, images, facts):
    for read in (lambda path: read_sfm(path, images), read_sfm_pairs):
        with pytest.raises(UserError, match="lists cids and cluster of one length under 'train'"):
            read(listing(facts))


def test_a_pickle_is_refused(tmp_path, images):
    path = tmp_path / "retrieval-SfM-120k.pkl"
    path.write_bytes(b"\x80\x04}q\x00.")
    with pytest.raises(UserError, match="a JSON file"):
        read_sfm(path, images)
