"""Pictures as pixels."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from landmark_zoo.data.decode import decode_image
from landmark_zoo.data.photograph import BadPhotograph
from landmark_zoo.data.resize import resize_long_side
from landmark_zoo.retrieval.at_scale.prepared import preparation
from landmark_zoo.retrieval.model_input import model_input
from landmark_zoo.retrieval.picture import Picture


@pytest.mark.parametrize(("name", "options"), [
    ("plain.jpg", {}), ("alpha.png", {}), ("turned.jpg", {"exif": True}), ("boxed.jpg", {"box": (3, 4, 60, 40)})])
def test_pixels_are_those_that_the_model_would_see(paint, name, options):
    if options.pop("exif", False):
        exif = Image.Exif()
        exif[0x0112] = 6
        options["exif"] = exif
    box = options.pop("box", None)
    picture = Picture("p", paint(name, 0, (90, 60), **options), box)
    pixels = preparation(48)(picture)
    expected = resize_long_side(decode_image(tf.constant(model_input(picture))), 48).numpy()
    np.testing.assert_array_equal(pixels, expected)
    assert max(pixels.shape[:2]) == 48
    if name == "turned.jpg":
        assert pixels.shape[0] > pixels.shape[1]
        assert preparation(48, apply_exif=False)(picture).shape == (32, 48, 3)


def test_bad_files_are_named(paint, tmp_path):
    whole = paint("whole.jpg", 0).read_bytes()
    buffer = io.BytesIO()
    Image.new("RGB", (20, 50)).save(buffer, "JPEG")
    cases = {b"": "empty", b"text": "not a picture", whole[:len(whole) // 2]: "JPEG|OSError", buffer.getvalue(): "smaller"}
    for data, reason in cases.items():
        (tmp_path / "bad.jpg").write_bytes(data)
        with pytest.raises(BadPhotograph, match=reason):
            preparation(64)(Picture("bad", tmp_path / "bad.jpg"))
    with pytest.raises(BadPhotograph, match="no such file"):
        preparation(64)(Picture("bad", tmp_path / "absent.jpg"))
