"""ONNX Runtime as an engine."""

import sys

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.engines.onnx_engine import OnnxEngine
from landmark_zoo.serving.write_onnx import write_onnx


def test_the_same_embeddings_as_tensorflow_at_any_size(small_model, images, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    write_onnx(small_model.path, tmp_path / "small.onnx")
    engine = OnnxEngine(tmp_path / "small.onnx")
    for batch in (images, images[:1, :33, :50]):
        np.testing.assert_allclose(engine.embed_images(batch), small_model.embed_images(batch), atol=1e-5)


def test_a_file_that_is_none(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "text.onnx").write_text("a text")
    for path in (tmp_path / "text.onnx", tmp_path / "absent.onnx"):
        with pytest.raises(UserError, match="a readable ONNX file at"):
            OnnxEngine(path)


def test_without_onnxruntime(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match="the package onnxruntime; received none"):
        OnnxEngine(tmp_path / "small.onnx")
