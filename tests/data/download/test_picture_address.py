import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.download.picture_address import PictureAddress


def test_host():
    assert PictureAddress("a", "http://LH4.ggpht.com/x/s1600/").host == "lh4.ggpht.com"
    assert PictureAddress("a", "file:///etc/passwd").host == ""
    assert PictureAddress("a", "http://[broken").host == ""
    assert PictureAddress("a", "None").host == ""


@pytest.mark.parametrize("name", ["../../evil", "", ".hidden", "a/b", "a" * 200, "x\n"])
def test_ids_that_are_no_names(name):
    with pytest.raises(UserError, match="ids of letters"):
        PictureAddress(name, "http://x")
