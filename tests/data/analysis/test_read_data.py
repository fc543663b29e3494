import shutil

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_csv
from landmark_zoo.data.analysis.read_data import read_data


def test_folders_of_folders_one_and_several(photo_folder):
    one, other = photo_folder({"a": 2, "b": 1}, "one"), photo_folder({"c": 1}, "other")
    [photographs] = read_data([one])
    assert photographs.landmarks == ["a", "a", "b"]
    [photographs] = read_data([one, other])
    assert sorted(photographs.landmarks) == ["a", "a", "b", "c"]


def test_records_whole_and_part_by_part(records):
    manifest = records({"a": 4, "b": 3}, name="all/train")
    assert [(part.part, len(part)) for part in read_data([manifest.directory.parent])] == [("train", 7)]
    assert [(part.part, len(part)) for part in read_data([manifest.directory])] == [("train", 7)]


def test_a_csv_file_with_columns_of_its_own(photo_folder, tmp_path):
    photo_folder({"a": 2})
    write_csv(tmp_path / "list.csv", ["name", "file", "shows"], [("p", "photos/a/a_0.jpg", "x"), ("q", "gone.jpg", "x")])
    [photographs] = read_data([tmp_path / "list.csv"], columns=["name", "file", "shows"])
    assert (photographs.ids, photographs.landmarks, photographs.missing) == (["p"], ["x"], ("q",))
    with pytest.raises(UserError, match="three columns"):
        read_data([tmp_path / "list.csv"], columns=["name"])


def test_the_layout_of_google_landmarks(photo_folder, tmp_path):
    source = photo_folder({"a": 2})
    for number in range(2):
        folder = tmp_path / "gldv2/train/0/0/0"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / f"a/a_{number}.jpg", folder / f"000{number}.jpg")
    write_csv(tmp_path / "gldv2/train.csv", ["id", "url", "landmark_id"], [("0000", "", "7"), ("0001", "", "8")])
    write_csv(tmp_path / "gldv2/train_clean.csv", ["landmark_id", "images"], [("7", "0000")])
    assert read_data([tmp_path / "gldv2"])[0].landmarks == ["7", "8"]
    assert read_data([tmp_path / "gldv2"], clean=True)[0].landmarks == ["7"]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_nothing_to_read_is_one_line(tmp_path, make):
    make(tmp_path / "data")
    with pytest.raises(UserError, match=r"received (nothing|none|a file)"):
        read_data([tmp_path / "data"])
