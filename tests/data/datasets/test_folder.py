import itertools
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landmark_zoo.core.errors import UserError, said_at_end
from landmark_zoo.data.datasets import folder as module
from landmark_zoo.data.datasets.folder import PassedOver, images_below, read_folder, read_table


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def landmarks(image_list):
    return {entry.id: entry.landmark_id for entry in image_list}


def test_a_landmark_is_any_folder_that_holds_images(tmp_path):
    make(tmp_path, "wonders/taj/a.jpg", "wonders/taj/inside/b.JPEG", "world/petra/c.png", "notes.txt", "world/d.csv")
    assert landmarks(read_folder([tmp_path])) == {"a": "wonders/taj", "b": "wonders/taj/inside", "c": "world/petra"}


def test_paths_are_absolute_and_order_is_that_of_names(tmp_path, monkeypatch):
    make(tmp_path, "photos/b/2.jpg", "photos/b/1.jpg", "photos/a/3.jpg")
    monkeypatch.chdir(tmp_path)
    image_list = read_folder(["photos"])
    assert [entry.path for entry in image_list] == [str(tmp_path / "photos" / name)
                                                   for name in ("a/3.jpg", "b/1.jpg", "b/2.jpg")]


def test_stems_that_occur_twice_become_paths(tmp_path):
    make(tmp_path, "a/1.jpg", "b/1.jpg", "b/1.png", "b/2.jpg")
    assert landmarks(read_folder([tmp_path])) == {"a/1.jpg": "a", "b/1.jpg": "b", "b/1.png": "b", "2": "b"}


def test_several_roots(tmp_path):
    make(tmp_path, "one/taj/1.jpg", "two/taj/1.jpg", "two/petra/2.jpg")
    assert landmarks(read_folder([tmp_path / "one", tmp_path / "two"])) == {
        "one/taj/1.jpg": "taj", "two/taj/1.jpg": "taj", "2": "petra"}


def test_a_root_that_holds_images_is_a_landmark(tmp_path):
    make(tmp_path, "taj/1.jpg", "taj/2.jpg")
    assert landmarks(read_folder([tmp_path / "taj"])) == {"1": "taj", "2": "taj"}


def test_dot_names_are_passed_over_and_links_followed_once(tmp_path):
    make(tmp_path, "photos/taj/1.jpg", "photos/taj/.2.jpg", "photos/.cache/3.jpg", "elsewhere/petra/4.jpg")
    (tmp_path / "photos/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos/taj/loop").symlink_to(tmp_path / "photos")
    assert landmarks(read_folder([tmp_path / "photos"])) == {"1": "taj", "4": "linked/petra"}


def test_no_images_is_a_user_error(tmp_path):
    make(tmp_path, "taj/readme.txt")
    with pytest.raises(UserError, match=r"images \(\.jpg .*\) in folders below .*; received none"):
        read_folder([tmp_path])


def test_a_missing_folder_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="received nothing"):
        read_folder([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="received a file"):
        read_folder([make(tmp_path, "taj.jpg") / "taj.jpg"])


NAMES = st.sampled_from(["a.jpg", "b.JPE", "c.jfif", "d.heic", "e.txt", "f", "g.jpg_large", "h.jpg.part", ".i.jpg",
                         os.fsdecode(b"\xe9.jpg"), "k.NEF", "l.png"])


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(["", "x", "x/y", "z", "z/.hidden"]), st.sets(NAMES, min_size=1)))
def test_every_file_is_an_image_or_counted_or_hidden(tree):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = [root / below / name for below, names in tree.items() for name in names]
        make(root, *(str(path.relative_to(root)) for path in files))
        tally = PassedOver(root)
        images = list(images_below(root, tally))
        hidden = sum("/." in str(path.relative_to(root.parent)) for path in files)
        kinds = [sum(count for kind, count in found.items() if "folder" not in kind) for found in tally.counts.values()]
        assert len(images) + sum(kinds) + hidden == len(files)
        assert bool(str(tally).encode()) == bool(tally)


def test_kinds_are_said_with_what_would_read_them(tmp_path, caplog, monkeypatch):
    monkeypatch.setitem(module.OTHER_SUFFIXES, ".heic", "pip install pillow-heif reads them")
    monkeypatch.setattr(module, "SUFFIXES", (".jpg", ".jfif", ".jpe"))
    make(tmp_path, "a/1.jfif", "a/2.jpe", "a/3.heic", "a/5.NEF", "b/README")
    for name in ("a/4", "a/6.jpg_large"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0")
    assert set(landmarks(read_folder([tmp_path]))) == {"1", "2"}
    line, = caplog.messages
    for part in ("1 .heic (pip install pillow-heif reads them; first a/3.heic)", "1 .nef (not read; convert them to JPEG;",
                 "1 .jpg_large, 1 file without a suffix (images whose suffix is not one of .jpg ",
                 "1 file without a suffix (no images; first b/README)", "1 folder (without an image; first b)"):
        assert part in line


def test_a_folder_without_images_names_what_was_passed_over(tmp_path):
    (make(tmp_path, "a/1.txt") / "a/4").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UserError, match=r"received none, but 1 \.txt \(no images; .*1 file without a suffix \(images whose"):
        read_folder([tmp_path])
    make(tmp_path, "b/1.jpg")
    with pytest.raises(UserError, match=r"in folders below \S+/a; received none"):
        read_folder([tmp_path / "b", tmp_path / "a"])


def test_folders_that_may_not_be_listed_are_counted(tmp_path, caplog, monkeypatch):
    make(tmp_path, "a/1.jpg", "b/2.jpg")
    scandir = os.scandir

    def denied(folder):
        if Path(folder) in closed:
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)
    monkeypatch.setattr(os, "scandir", denied)
    closed = [tmp_path / "b"]
    assert set(landmarks(read_folder([tmp_path]))) == {"1"}
    assert "1 folder (cannot be listed: permission denied; first b)" in caplog.text
    closed = [tmp_path]
    with pytest.raises(UserError, match=r"a folder that may be listed at .*; received permission denied"):
        read_folder([tmp_path])


def test_names_that_are_not_utf8_are_counted(tmp_path, caplog):
    make(tmp_path, "a/1.jpg", os.fsdecode(b"a/\xe9glise.jpg"), os.fsdecode(b"ch\xe2teau/2.jpg"))
    with said_at_end():
        assert set(landmarks(read_folder([tmp_path]))) == {"1"}
    assert r"1 file, 1 folder (names that are not UTF-8; rename them; first ch\xe2teau)" in caplog.text
    with pytest.raises(UserError, match="a path whose names are UTF-8"):
        read_folder([tmp_path / os.fsdecode(b"ch\xe2teau")])


@pytest.mark.parametrize("pair", itertools.combinations(["train", "Val", "TEST", "queries"], 2))
@pytest.mark.parametrize("form", ["{0}/eiffel/{1}.jpg", "{0}/{1}.jpg", "set/{0}/eiffel/{1}.jpg", "eiffel/{0}/{1}.jpg"])
def test_folders_of_a_split_are_no_landmarks(tmp_path, pair, form):
    make(tmp_path, *(form.format(name, number) for number, name in enumerate(pair)), "louvre/9.jpg")
    with pytest.raises(UserError, match=f"received {', '.join(sorted(pair))}, the folders of a split"):
        read_folder([tmp_path])


@pytest.mark.parametrize("pair", [("training_set", "test_set"), ("seg_train", "seg_test"), ("train2017", "val2017"),
                                  ("01-Train", "01-Test")])
def test_folders_of_a_split_with_more_in_their_names(tmp_path, pair):
    make(tmp_path, *(f"{name}/eiffel/{number}.jpg" for number, name in enumerate(pair)))
    with pytest.raises(UserError, match=f"received {', '.join(sorted(pair))}, the folders of a split"):
        read_folder([tmp_path])


def test_landmarks_with_such_words_in_their_names(tmp_path):
    names = {"train station", "test tower", "national gallery", "training/train", "latest", "valley"}
    make(tmp_path, *(f"{name}/{number}.jpg" for number, name in enumerate(sorted(names))))
    assert set(landmarks(read_folder([tmp_path])).values()) == names


@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("link", "a"), ("", "a")])
def test_a_folder_is_not_read_twice(tmp_path, names):
    make(tmp_path, "a/b/1.jpg", "c/2.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(UserError, match="folders of which none lies in another"):
        read_folder([tmp_path / name for name in names])


def test_folders_of_a_split_are_read_as_one_collection(tmp_path):
    make(tmp_path, "train/eiffel/1.jpg", "val/eiffel/2.jpg", "val/station/test/3.jpg")
    assert landmarks(read_folder([tmp_path / "train", tmp_path / "val"])) == {
        "1": "eiffel", "2": "eiffel", "3": "station/test"}


@pytest.mark.photographs
def test_real_folders_agree_with_their_table(shared_data):
    image_list = read_folder([shared_data / "photos"])
    assert len(image_list) == 3908
    assert len(image_list.landmark_counts) == 42
    assert all(len(entry.id) == 16 for entry in image_list)


@pytest.fixture
def table(tmp_path):
    for name in ("taj/1.jpg", "petra/2.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    path = tmp_path / "photos.csv"
    path.write_text("id,set,landmark,path\na,w,taj,taj/1.jpg\nb,w,petra,petra/2.jpg\n")
    return path


def test_paths_start_from_the_table(table, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path.parent)
    image_list = read_table(table)
    assert [(e.id, e.landmark_id) for e in image_list] == [("a", "taj"), ("b", "petra")]
    assert [e.path for e in image_list] == [str(tmp_path / "taj/1.jpg"), str(tmp_path / "petra/2.jpg")]


def test_absolute_paths_and_other_columns(table, tmp_path):
    table.write_text(f"image,landmark_id,file\na,5,{tmp_path / 'taj/1.jpg'}\n")
    image_list = read_table(table, columns=("image", "file", "landmark_id"))
    assert image_list.landmark_counts == {"5": 1}


def test_a_table_in_a_folder_that_is_not_utf8_is_refused(table, tmp_path):
    odd = tmp_path.with_name(tmp_path.name + os.fsdecode(b"\xe9"))
    tmp_path.rename(odd)
    with pytest.raises(UserError, match=r"a path whose names are UTF-8; received \S+\\xe9/taj/1\.jpg"):
        read_table(odd / "photos.csv")
    odd.rename(tmp_path)


def test_missing_images_are_counted_unless_strict(table, tmp_path):
    (tmp_path / "taj/1.jpg").unlink()
    assert read_table(table).missing == ("a",)
    with pytest.raises(UserError, match="1 without one, first a"):
        read_table(table, strict=True)


def test_missing_column_names_it(table):
    with pytest.raises(UserError, match=r"column place in .*; received columns id, set, landmark, path"):
        read_table(table, columns=("id", "path", "place"))


@pytest.mark.parametrize(("line", "complaint"), [
    ("a,w,taj,taj/1.jpg\n", "'a' for"), ("c,w,,taj/1.jpg\n", "an id and a landmark"), ("c,w\n", "cells per row")])
def test_bad_lines(table, line, complaint):
    with table.open("a") as file:
        file.write(line)
    with pytest.raises(UserError, match=complaint):
        read_table(table)


def test_missing_table(tmp_path):
    with pytest.raises(UserError, match="a readable csv file"):
        read_table(tmp_path / "nothing.csv")


@pytest.mark.photographs
def test_real_table(shared_data):
    assert len(read_table(shared_data / "photos" / "photos.csv")) == 3908
