"""OpenVINO as an engine."""

import sys

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.engines.openvino_engine import OpenvinoEngine


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_the_same_embeddings_as_tensorflow_at_any_size(small_model, images, precision):
    pytest.importorskip("openvino")
    engine = OpenvinoEngine(small_model.path, precision)
    for batch in (images, images[:1, :33, :50]):
        np.testing.assert_allclose(engine.embed_images(batch), small_model.embed_images(batch),
                                   atol=1e-4 if precision == "f32" else 0.02)


def test_without_openvino(small_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UserError, match="the package openvino; received none"):
        OpenvinoEngine(small_model.path)
