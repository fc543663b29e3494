import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.image_ops import decode_image
from landmark_zoo.serving.check import isolated_check, write_check_images


@pytest.mark.slow
def test_loads_where_this_project_cannot_be_imported(exported, encoded_images, expected, tmp_path):
    paths = []
    for number, image in enumerate(encoded_images):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(image)
    found = isolated_check(exported, paths)
    np.testing.assert_allclose(found.embeddings, expected, atol=1e-5)
    assert set(found.signatures) == {"serving_default", "images", "crop", "info", "local", "attention"}
    assert "string" in found.signatures["serving_default"]["inputs"]["image_bytes"]
    assert (found.info["name"], found.info["scales"]) == ("small", [1.0])


@pytest.mark.slow
def test_no_saved_model(tmp_path):
    with pytest.raises(UserError, match="a SavedModel at"):
        isolated_check(tmp_path)


def test_no_interpreter(exported, tmp_path):
    with pytest.raises(UserError, match=r"a Python interpreter at .*; received No such file"):
        isolated_check(exported, python=tmp_path / "python")


def test_always_the_same_and_readable(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    first, again = (write_check_images(tmp_path / folder) for folder in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    shapes = {path.name: tuple(decode_image(tf.constant(path.read_bytes())).shape) for path in first}
    assert shapes == {"colour.jpg": (180, 260, 3), "gray.jpg": (240, 170, 3), "alpha.png": (96, 96, 3),
                      "16-bit.png": (70, 120, 3), "small.jpg": (33, 40, 3)}
