import pickle

import pytest

from experiments.preparation.sfm_listing import sfm_listing
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json
from landmark_zoo.data.manifest import read_manifest
from tests.data.download.archives import picture_bytes, tar_bytes
from tests.experiments.run_script import run_script

CIDS = [f"{n:032x}" for n in range(1, 9)]
PART = {"cids": CIDS[:6], "cluster": [1, 1, 1, 4, 4, 4], "qidxs": [0, 3], "pidxs": [1, 4], "bbxs": None}
LISTING = {"train": PART, "val": {**PART, "cids": CIDS[6:], "cluster": [9, 9], "qidxs": [0], "pidxs": [1]}}


def test_the_pickle_becomes_json(tmp_path):
    (tmp_path / "retrieval-SfM-120k.pkl").write_bytes(pickle.dumps(LISTING, protocol=2))
    facts = read_json(sfm_listing(tmp_path))
    assert facts["train"] == {key: PART[key] for key in ("cids", "cluster", "qidxs", "pidxs")}
    (tmp_path / "retrieval-SfM-120k.pkl").unlink()
    assert sfm_listing(tmp_path).is_file()


@pytest.mark.parametrize("content", [pickle.dumps({"train": {}}), pickle.dumps([1]), pickle.dumps(print), b"<html>"])
def test_other_pickles(tmp_path, content):
    (tmp_path / "retrieval-SfM-120k.pkl").write_bytes(content)
    with pytest.raises(UserError):
        sfm_listing(tmp_path)


def test_from_the_server_to_records(serve, tmp_path):
    base = "/cnnimageretrieval/data/train"
    photographs = {f"{cid[-2:]}/{cid[-4:-2]}/{cid[-6:-4]}/{cid}": picture_bytes(n) for n, cid in enumerate(CIDS)}
    server = serve({f"{base}/dbs/retrieval-SfM-120k.pkl": pickle.dumps(LISTING),
                    f"{base}/ims/ims.tar.gz": tar_bytes(photographs, gzipped=True)})
    done = run_script("experiments.prepare", source="sfm120k", data_dir=tmp_path, mirror=server.url, num_shards=2)
    assert done.code == 0, done.stderr
    train, validation = (read_manifest(tmp_path / "records/sfm120k" / part) for part in ("train", "validation"))
    assert (list(train.label_map), train.class_counts, validation.class_counts) == (["1", "4", "9"], (3, 3, 0), (0, 0, 2))
