"""The pictures of the check."""

import tensorflow as tf

from landmark_zoo.data.decode import decode_image
from landmark_zoo.serving.check_pictures import write_check_pictures


def test_always_the_same_and_readable(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    first, again = (write_check_pictures(tmp_path / folder) for folder in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    shapes = {path.name: tuple(decode_image(tf.constant(path.read_bytes())).shape) for path in first}
    assert shapes == {"colour.jpg": (180, 260, 3), "gray.jpg": (240, 170, 3), "alpha.png": (96, 96, 3),
                      "16-bit.png": (70, 120, 3), "small.jpg": (33, 40, 3)}
