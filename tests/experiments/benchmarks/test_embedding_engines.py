"""The forms of one network: the same embeddings, and why some are absent."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from experiments.benchmarks.embedding_engines import embedding_engines
from landmark_zoo.models import build_model
from landmark_zoo.serving.export import export_saved_model


@pytest.mark.slow
def test_every_form_gives_the_same_embedding(tmp_path, monkeypatch):
    for package in ("onnxruntime", "torch"):
        monkeypatch.setitem(sys.modules, package, None)
    tf.keras.utils.set_random_seed(0)
    model = build_model("mobilenet", "se", alpha=0.25, embedding_dim=8)
    exported = export_saved_model(model, tmp_path / "small", side=64, info={})
    engines, absent = embedding_engines(model, exported, tmp_path)
    assert "the package onnxruntime" in absent["onnxruntime"]
    assert "the package torch;" in absent["pytorch resnet101"]
    images = np.random.default_rng(0).uniform(0, 255, [2, 48, 64, 3]).astype(np.float32)
    expected = engines["keras call"](images)
    for name, embed in engines.items():
        assert (embed(images) * expected).sum(1).min() > 0.99, name
