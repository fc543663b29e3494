import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.folder import read_folder


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def landmarks(catalogue):
    return {entry.id: entry.landmark_id for entry in catalogue}


def test_a_landmark_is_any_folder_that_holds_pictures(tmp_path):
    make(tmp_path, "wonders/taj/a.jpg", "wonders/taj/inside/b.JPEG", "world/petra/c.png", "notes.txt", "world/d.csv")
    assert landmarks(read_folder([tmp_path])) == {"a": "wonders/taj", "b": "wonders/taj/inside", "c": "world/petra"}


def test_paths_are_absolute_and_order_is_that_of_names(tmp_path, monkeypatch):
    make(tmp_path, "photos/b/2.jpg", "photos/b/1.jpg", "photos/a/3.jpg")
    monkeypatch.chdir(tmp_path)
    catalogue = read_folder(["photos"])
    assert [entry.path for entry in catalogue] == [str(tmp_path / "photos" / name)
                                                   for name in ("a/3.jpg", "b/1.jpg", "b/2.jpg")]


def test_stems_that_occur_twice_become_paths(tmp_path):
    make(tmp_path, "a/1.jpg", "b/1.jpg", "b/1.png", "b/2.jpg")
    assert landmarks(read_folder([tmp_path])) == {"a/1.jpg": "a", "b/1.jpg": "b", "b/1.png": "b", "2": "b"}


def test_several_roots(tmp_path):
    make(tmp_path, "one/taj/1.jpg", "two/taj/1.jpg", "two/petra/2.jpg")
    assert landmarks(read_folder([tmp_path / "one", tmp_path / "two"])) == {
        "one/taj/1.jpg": "taj", "two/taj/1.jpg": "taj", "2": "petra"}


def test_a_root_that_holds_pictures_is_a_landmark(tmp_path):
    make(tmp_path, "taj/1.jpg", "taj/2.jpg")
    assert landmarks(read_folder([tmp_path / "taj"])) == {"1": "taj", "2": "taj"}


def test_dot_names_are_passed_over_and_links_followed_once(tmp_path):
    make(tmp_path, "photos/taj/1.jpg", "photos/taj/.2.jpg", "photos/.cache/3.jpg", "elsewhere/petra/4.jpg")
    (tmp_path / "photos/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos/taj/loop").symlink_to(tmp_path / "photos")
    assert landmarks(read_folder([tmp_path / "photos"])) == {"1": "taj", "4": "linked/petra"}


def test_no_pictures_is_a_user_error(tmp_path):
    make(tmp_path, "taj/readme.txt")
    with pytest.raises(UserError, match=r"pictures \(\.jpg .*\) in folders below .*; received none"):
        read_folder([tmp_path])


def test_a_missing_folder_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="received nothing"):
        read_folder([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="received a file"):
        read_folder([make(tmp_path, "taj.jpg") / "taj.jpg"])


@pytest.mark.photographs
def test_real_folders_agree_with_their_table(shared_data):
    catalogue = read_folder([shared_data / "photos"])
    assert len(catalogue) == 3908
    assert len(catalogue.landmark_counts) == 42
    assert all(len(entry.id) == 16 for entry in catalogue)
