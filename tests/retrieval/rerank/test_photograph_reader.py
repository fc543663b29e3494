import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.rerank.photograph_reader import photograph_reader


@pytest.fixture
def read(tmp_path):
    Image.new("RGB", (200, 100), "red").save(tmp_path / "large.jpg")
    Image.new("L", (40, 60), 128).save(tmp_path / "grey.png")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (40, 40)).save(tmp_path / folder / "twice.jpg")
    return photograph_reader(ImageLocator(tmp_path), 80)


def test_pixels(read):
    assert read("large").shape == (40, 80, 3)
    assert read("grey").shape == (60, 40, 3)
    assert read("grey").dtype == np.uint8
    np.testing.assert_allclose(read("large")[20, 40], [255, 0, 0], atol=5)


@pytest.mark.parametrize(("name", "reason"), [("absent", "no such file"), ("bad", "not a picture")])
def test_bad_photographs(read, name, reason):
    with pytest.raises(BadPhotograph, match=reason):
        read(name)


def test_two_files_of_one_name(read):
    with pytest.raises(UserError, match="several"):
        read("twice")
