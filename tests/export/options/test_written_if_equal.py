"""A converted model is written only when it gives the same embeddings."""

import numpy as np
import pytest
import tensorflow as tf

from export.options.written_if_equal import written_if_equal
from landmark_zoo.core.errors import UserError

IMAGES = [np.random.default_rng(0).uniform(0, 255, [1, 40, 64, 3]).astype(np.float32)]


def test_written_or_nothing(small_export, tmp_path):
    loaded = tf.saved_model.load(str(small_export))

    def same(path):
        assert path.read_text() == "converted"
        return lambda image: loaded.signatures["images"](images=tf.constant(image))["embedding"].numpy()

    def opposite(path):
        return lambda image: -same(path)(image)

    def convert(path):
        path.write_text("converted")

    with pytest.raises(UserError, match="Nothing was written"):
        written_if_equal(small_export, tmp_path / "out" / "file", convert, opposite, IMAGES, 0.99)
    assert list((tmp_path / "out").iterdir()) == []
    assert written_if_equal(small_export, tmp_path / "out" / "file", convert, same, IMAGES, 0.99) > 0.9999
    assert (tmp_path / "out" / "file").read_text() == "converted"
