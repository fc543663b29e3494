"""ONNX."""

import sys

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.engines.onnx_engine import OnnxEngine
from landmark_zoo.serving.compared import compared
from landmark_zoo.serving.picture_at_side import picture_at_side
from landmark_zoo.serving.write_onnx import write_onnx


@pytest.mark.slow
def test_the_same_embeddings_at_any_size(exported, pictures, tmp_path):
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    write_onnx(exported, tmp_path / "small.onnx")
    images = [picture_at_side(picture, side) for picture in pictures for side in (64, 96)]
    assert compared(exported, OnnxEngine(tmp_path / "small.onnx").embed_images, images, 0.99) > 0.9999


def test_without_tf2onnx(exported, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(UserError, match="the package tf2onnx; received none"):
        write_onnx(exported, tmp_path / "small.onnx")
