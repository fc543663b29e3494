"""The measurement of embedding, on a network that takes no time."""

import numpy as np
import pytest
from PIL import Image

from experiments.benchmarks.embed import images_per_second, measure_embed
from landmark_zoo.models.config import ModelConfig


def test_engines_take_turns():
    calls = []
    engines = {name: lambda images, name=name: calls.append((name, images.shape)) for name in "ab"}
    speeds = images_per_second(engines, 2, (8, 16), rounds=3)
    assert calls == [("a", (2, 8, 16, 3)), ("b", (2, 8, 16, 3))] * 4
    assert min(speeds.values()) > 0


@pytest.mark.slow
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
