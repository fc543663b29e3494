"""Files to bytes for the model."""

import io

import numpy as np
import pytest
from PIL import Image

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.retrieval.model_input import model_input
from landmark_zoo.retrieval.picture import Picture


def pixels(encoded: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(encoded)))


def exif(orientation: int) -> Image.Exif:
    facts = Image.Exif()
    facts[0x0112] = orientation
    return facts


def test_plain_jpeg_keeps_its_bytes(paint):
    path = paint("a.jpg", 1)
    assert model_input(Picture("a", path)) == path.read_bytes()


def test_box_keeps_the_exact_pixels_of_the_original(paint):
    path = paint("a.jpg", 1, (120, 90))
    cut = pixels(model_input(Picture("a", path, (10, 20, 90, 70))))
    np.testing.assert_array_equal(cut, np.asarray(Image.open(path))[20:70, 10:90])


def test_exif_turn_can_be_left_out(paint):
    path = paint("a.jpg", 1, (64, 48), exif=exif(6))
    assert pixels(model_input(Picture("a", path))).shape == (64, 48, 3)
    assert pixels(model_input(Picture("a", path), apply_exif=False)).shape == (48, 64, 3)


def test_box_is_in_the_pixels_as_stored_without_the_turn(paint):
    path = paint("a.jpg", 1, (64, 48), exif=exif(6))
    box = (0, 0, 64, 40)
    assert pixels(model_input(Picture("a", path, box), apply_exif=False)).shape == (40, 64, 3)
    with pytest.raises(UserError, match="48 x 64 pixels of a"):
        model_input(Picture("a", path, box))


def test_webp_becomes_what_tensorflow_reads(paint):
    assert model_input(Picture("a", paint("a.webp", 1)))[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_bad_files(tmp_path, content):
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadPhotograph):
        model_input(Picture("a", path))


def test_truncated_file(paint):
    path = paint("a.jpg", 1, (400, 300))
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(BadPhotograph):
        model_input(Picture("a", path))


def test_box_too_small_for_a_model(paint):
    with pytest.raises(BadPhotograph, match="10 x 40 px"):
        model_input(Picture("a", paint("a.jpg", 1), (0, 0, 40, 10)))
