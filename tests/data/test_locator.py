import os

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.locator import ImageLocator


def make(root, name):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


@pytest.mark.parametrize("name", [
    "0/a/1/0a1b.jpg", "index/0/a/1/0a1b.jpg", "test/0/a/1/0a1b.jpg", "train/0/a/1/0a1b.jpg", "jpg/0a1b.jpg", "0a1b.jpg",
    "0a1b.png", "taj/inside/0a1b.jpg", "taj/0a1b.WEBP"])
def test_every_layout(tmp_path, name):
    path = make(tmp_path, name)
    assert ImageLocator(tmp_path).locate("0a1b") == path


def test_short_and_odd_ids(tmp_path):
    assert ImageLocator(make(tmp_path, "a.jpg").parent).locate("a").name == "a.jpg"
    make(tmp_path, "jpg/all_souls_000013.jpg")
    assert ImageLocator(tmp_path).locate("all_souls_000013").parent.name == "jpg"


def test_the_usual_place_wins_over_another(tmp_path):
    first = make(tmp_path, "0/a/1/0a1b.jpg")
    make(tmp_path, "copies/0a1b.jpg")
    assert ImageLocator(tmp_path).locate("0a1b") == first


def test_the_folder_is_read_once(tmp_path, monkeypatch):
    for name in ("x/1.jpg", "x/2.jpg"):
        make(tmp_path, name)
    walks = []
    walk = os.walk
    monkeypatch.setattr(os, "walk", lambda *args, **options: walks.append(args) or walk(*args, **options))
    locator = ImageLocator(tmp_path)
    assert locator.locate("1").name == "1.jpg"
    assert locator.locate("2").name == "2.jpg"
    assert len(walks) == 1


def test_two_files_of_one_name(tmp_path):
    make(tmp_path, "x/1.jpg")
    make(tmp_path, "y/1.png")
    make(tmp_path, "y/2.jpg")
    with pytest.raises(UserError, match=r"one picture named '1' .* received several"):
        ImageLocator(tmp_path).locate("1")
    assert ImageLocator(tmp_path).locate("2").name == "2.jpg"


def test_nothing_there(tmp_path):
    make(tmp_path, "x/1.txt")
    with pytest.raises(UserError, match=r"a picture named '1' .* received none"):
        ImageLocator(tmp_path).locate("1")
    with pytest.raises(UserError, match="a folder of photographs"):
        ImageLocator(tmp_path / "nowhere")


@pytest.mark.photographs
def test_real_benchmark(shared_data):
    locator = ImageLocator(shared_data / "photos")
    ids = (shared_data / "benchmarks" / "provence" / "index.csv").read_text().split()[1:]
    assert all(locator.locate(image_id).stem == image_id for image_id in ids)
