import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.table import read_table


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
    catalogue = read_table(table)
    assert [(e.id, e.landmark_id) for e in catalogue] == [("a", "taj"), ("b", "petra")]
    assert [e.path for e in catalogue] == [str(tmp_path / "taj/1.jpg"), str(tmp_path / "petra/2.jpg")]


def test_absolute_paths_and_other_columns(table, tmp_path):
    table.write_text(f"image,landmark_id,file\na,5,{tmp_path / 'taj/1.jpg'}\n")
    catalogue = read_table(table, id_column="image", landmark_column="landmark_id", path_column="file")
    assert catalogue.landmark_counts == {"5": 1}


def test_missing_pictures_are_counted_unless_strict(table, tmp_path):
    (tmp_path / "taj/1.jpg").unlink()
    assert read_table(table).missing == ("a",)
    with pytest.raises(UserError, match="a without one"):
        read_table(table, strict=True)


def test_missing_column_names_it(table):
    with pytest.raises(UserError, match=r"column place in .*; received columns id, set, landmark, path"):
        read_table(table, landmark_column="place")


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
