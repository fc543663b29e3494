"""What there is to embed."""

from pathlib import Path

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.retrieval.picture import Picture


def test_a_picture_is_whole_unless_a_box_is_given():
    assert Picture("a", Path("a.jpg")).box is None
    assert Picture("a", Path("a.jpg"), (0, 0, 9, 9)).box == (0, 0, 9, 9)


def test_located_by_id(paint, tmp_path):
    path = paint("jpg/all_souls_000013.jpg", 1)
    assert Picture.located("all_souls_000013", ImageLocator(tmp_path / "photos")) == ("all_souls_000013", path, None)


def test_what_is_not_there_gets_a_path_that_does_not_exist(paint, tmp_path):
    paint("a.jpg", 1)
    assert not Picture.located("b", ImageLocator(tmp_path / "photos")).path.exists()


def test_several_files_for_one_id_are_an_error(paint, tmp_path):
    paint("x/a.jpg", 1)
    paint("y/a.jpg", 2)
    with pytest.raises(UserError, match="received several"):
        Picture.located("a", ImageLocator(tmp_path / "photos"))
