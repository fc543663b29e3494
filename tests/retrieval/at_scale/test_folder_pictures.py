"""The pictures below a folder have the ids that read_folder gives them."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.folder import read_folder
from landmark_zoo.retrieval.at_scale.folder_pictures import folder_pictures


def test_ids_and_order_of_read_folder(tmp_path):
    for name in ("a/x.jpg", "a/y.JPG", "b/x.png", "b/c/z.webp", "top.gif", ".hidden/h.jpg", "a/text.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = list(folder_pictures(tmp_path))
    assert [(picture.id, str(picture.path)) for picture in found] == [
        (entry.id, entry.path) for entry in read_folder([tmp_path]).entries]
    assert {picture.id for picture in found} == {"top", "y", "z", "a/x.jpg", "b/x.png"}


def test_no_pictures(tmp_path):
    with pytest.raises(UserError, match=r"pictures .* received none"):
        list(folder_pictures(tmp_path))
    with pytest.raises(UserError, match="a folder at"):
        list(folder_pictures(tmp_path / "absent"))
