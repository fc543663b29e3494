from pathlib import Path

from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.data.sfm import sfm_path


def test_clusters_are_landmarks(build, put, put_json):
    cids = [f"{number:032x}" for number in range(6)]
    photos = put(*(sfm_path("ims", cid) for cid in cids))
    put_json("retrieval-SfM-120k.json", {"train": {"cids": cids[:4], "cluster": [5, 5, 7, 7]},
                                         "val": {"cids": cids[4:], "cluster": [9, 9]}})
    directory = Path(build("sfm120k", photos).data_dir)
    train, validation = (read_manifest(directory / split) for split in ("train", "validation"))
    assert list(train.label_map) == list(validation.label_map) == ["5", "7", "9"]
    assert (train.class_counts, validation.class_counts) == ((2, 2, 0), (0, 0, 2))
