"""TFLite."""

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.compared import compared
from landmark_zoo.serving.picture_at_side import picture_at_side
from landmark_zoo.serving.write_tflite import tflite_embedder, write_tflite


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "least"), [("fp16", 0.999), ("int8", 0.95)])
def test_the_same_embeddings(exported, pictures, tmp_path, precision, least):
    images = [picture_at_side(picture, 64, square=True) for picture in pictures]
    path = tmp_path / "small.tflite"
    write_tflite(exported, path, 64, 64, precision, images)
    assert compared(exported, tflite_embedder(path), images, least) > least
    variables = sum(file.stat().st_size for file in (exported / "variables").iterdir())
    assert path.stat().st_size < 0.8 * variables


def test_int8_without_pictures(exported, tmp_path):
    with pytest.raises(UserError, match="representative pictures for int8; received none"):
        write_tflite(exported, tmp_path / "small.tflite", 64, 64, "int8")
