"""The common end of the export scripts, with a network that is quick to trace."""

import json
import runpy

import numpy as np
import pytest
import tensorflow as tf

from export.options.card import CardOptions
from export.options.whitening import WhiteningOptions
from export.options.write_export import write_export
from landmark_zoo.serving.embedders.embedder_of import embedder_of


@pytest.fixture(scope="module")
def embedder(root):
    return embedder_of(runpy.run_path(str(root / "tests/serving/conftest.py"))["little"](6), 64)


def embed(folder):
    images = np.random.default_rng(0).uniform(0, 255, [2, 48, 64, 3]).astype(np.float32)
    return tf.saved_model.load(str(folder)).signatures["images"](tf.constant(images))["embedding"].numpy()


def test_whitening_and_card(embedder, photos, tmp_path):
    plain = write_export(embedder, tmp_path / "m", {}, WhiteningOptions(), CardOptions(), {}, {})
    white = write_export(embedder, tmp_path / "m", {}, WhiteningOptions(pca=4, pca_images=str(photos)),
                         CardOptions(licence="MIT"), {"source": "drawn"}, {"epochs": 2})
    assert (plain.name, white.name) == ("1", "2")
    assert (embed(plain).shape, embed(white).shape) == ((2, 6), (2, 4))
    card = json.loads((white / "card.json").read_text())
    assert card["info"]["dimension"] == 4
    assert (card["data"], card["recipe"]["epochs"], card["licence"]["model"]) == ({"source": "drawn"}, 2, "MIT")
