import numpy as np
import pytest
from PIL import Image, ImageOps

from landmark_zoo.data.synthetic.darkroom import grade, take, write_picture
from landmark_zoo.data.synthetic.photograph import Photograph
from landmark_zoo.data.synthetic.shot import Shot


@pytest.fixture
def taken():
    image = np.full((48, 64, 3), 90, np.uint8)
    image[:16] = (220, 40, 40)
    image[:, :20] = (40, 40, 220)
    return Photograph(image, (5.0, 5.0, 50.0, 40.0), 0.9, 0.1, "day")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_tag_turns_the_picture_upright(tmp_path, taken, orientation):
    path = tmp_path / "a" / "picture.jpg"
    write_picture(path, taken, Shot("picture.jpg", 0, 0, orientation=orientation, quality=95))
    with Image.open(path) as stored:
        assert stored.getexif().get(0x0112, 1) == orientation
        assert stored.size == ((48, 64) if orientation > 4 else (64, 48))
        upright = np.asarray(ImageOps.exif_transpose(stored)).astype(int)
    assert np.abs(upright - taken.image.astype(int)).mean() < 6


def test_dates_are_exif_dates(tmp_path, taken):
    for dated in (True, False):
        write_picture(tmp_path / "picture.jpg", taken, Shot("picture.jpg", 0, 0, dated=dated))
        with Image.open(tmp_path / "picture.jpg") as stored:
            date = stored.getexif().get_ifd(0x8769).get(0x9003)
        if dated:
            assert 9 <= int(date[11:13]) < 17
            assert len(date) == 19
        else:
            assert date is None


def test_gray_pictures_have_one_channel(tmp_path, taken):
    write_picture(tmp_path / "picture.jpg", taken, Shot("picture.jpg", 0, 0, gray=True))
    with Image.open(tmp_path / "picture.jpg") as stored:
        assert stored.mode == "L"


def test_grades():
    image = np.zeros((100, 100, 3), np.uint8)
    wide, tiny = (10.0, 10.0, 80.0, 80.0), (10.0, 10.0, 20.0, 20.0)
    assert grade(Photograph(image, wide, 0.9, 0.2, "day")) == "easy"
    assert grade(Photograph(image, wide, 0.9, 0.2, "night")) == "hard"
    assert grade(Photograph(image, wide, 0.9, 1.2, "day")) == "hard"
    assert grade(Photograph(image, wide, 0.4, 0.2, "day")) == "hard"
    assert grade(Photograph(image, wide, 0.1, 0.2, "day")) == "junk"
    assert grade(Photograph(image, tiny, 0.9, 0.2, "day")) == "junk"
    assert grade(Photograph(image, None, 0.0, 0.2, "day")) == "junk"


def test_a_site_is_photographed_in_order(tmp_path):
    shots = [Shot(f"train/{view}.jpg", 3, view) for view in (2, 0)]
    truths = take(str(tmp_path), 0, 64, "arch", shots)
    assert [truth.path for truth in truths] == ["train/2.jpg", "train/0.jpg"]
    assert all((tmp_path / truth.path).stat().st_size > 500 for truth in truths)
