import functools
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments.benchmarks.embed import embedding_engines, images_per_second, measure_embed, torch_engine
from landmark_zoo.models.build import build_model
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.serving.export import export_saved_model


def test_engines_take_turns():
    calls = []
    engines = {name: lambda images, name=name: calls.append((name, images.shape)) for name in "ab"}
    speeds = images_per_second(engines, 2, (8, 16), rounds=3)
    assert calls == [("a", (2, 8, 16, 3)), ("b", (2, 8, 16, 3))] * 4
    assert min(speeds.values()) > 0


@pytest.mark.slow
@pytest.mark.nightly
def test_both_tables(tmp_path):
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, 256, [40 + number % 2, 64, 3]).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.jpg")
    config = ModelConfig("mobilenet_gem", embedding_dim=8, alpha=0.25)
    lines = measure_embed(config, 2, str(tmp_path), size=(48, 64), rounds=1).splitlines()
    found = {line[:28].strip(): line[28:].split() for line in lines}
    for name in ("keras call", "savedmodel", "savedmodel frozen", "savedmodel folded", "savedmodel folded_bfloat16"):
        assert len(found[name]) == 4
    assert found["keras call"][1] == found["keras call"][3] == "1.00"
    assert float(lines[-1].split()[-1]) > 0
    assert lines[-1].startswith("both to the slower of them")


@pytest.mark.slow
@pytest.mark.nightly
def test_every_form_gives_the_same_embedding(tmp_path, monkeypatch):
    for package in ("onnxruntime", "torch"):
        monkeypatch.setitem(sys.modules, package, None)
    tf.keras.utils.set_random_seed(0)
    build = functools.partial(build_model, "mobilenet", "se", alpha=0.25, embedding_dim=8)
    model = build()
    exported = export_saved_model(model, tmp_path / "small", side=64, info={})
    engines, absent = embedding_engines(model, exported, tmp_path, build)
    assert "the package onnxruntime" in absent["onnxruntime"]
    assert "the packages torch and torchvision;" in absent["pytorch resnet101"]
    images = np.random.default_rng(0).uniform(0, 255, [2, 48, 64, 3]).astype(np.float32)
    expected = engines["keras call"](images)
    for name, embed in engines.items():
        assert (embed(images) * expected).sum(1).min() > 0.99, name


@pytest.mark.slow
@pytest.mark.nightly
def test_pytorch_gives_pooled_features():
    pytest.importorskip("torchvision", reason="torchvision is not installed: it is compared with where it is.")
    assert torch_engine()(np.zeros([2, 64, 96, 3], np.float32)).shape == (2, 2048)
