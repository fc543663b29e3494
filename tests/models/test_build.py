"""What a built model promises."""

import numpy as np
import pytest
import tensorflow as tf

from landmark_zoo.core.errors import UserError
from landmark_zoo.models import build_model

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 70, 45, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    tf.keras.utils.set_random_seed(0)
    return build_model("mobilenet", "se", embedding_dim=16, num_classes=5, alpha=0.25)


def test_outputs(model):
    outputs = model(IMAGES)
    assert set(outputs) == {"embedding", "feature_map", "logits", "attention/se"}
    assert outputs["feature_map"].shape == (2, 2, 1, 256)
    assert outputs["logits"].shape == (2, 5)
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1, rtol=1e-5)
    assert outputs["embedding"].dtype == tf.float32


def test_integer_and_float_pixels_and_other_sizes(model):
    np.testing.assert_array_equal(model(IMAGES)["embedding"], model(IMAGES.astype(np.float32))["embedding"])
    for size in ((32, 32), (33, 150)):
        assert model(np.zeros((1, *size, 3), np.uint8))["embedding"].shape == (1, 16)


def test_summary_names_what_the_papers_name(model):
    lines = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    for name in ("mobilenet (Functional)", "se (SqueezeExcitation)", "gem (GeM)", "embedding (EmbeddingLayer)",
                 "arcface (ArcFace)"):
        assert name in text


def test_without_attention_and_head():
    outputs = build_model("mobilenet", alpha=0.25)(IMAGES)
    assert set(outputs) == {"embedding", "feature_map"}


@pytest.mark.parametrize("part", [{"backbone": "alexnet"}, {"attention": "hope"}, {"pooling": "pool"},
                                  {"head": "tail", "num_classes": 3}])
def test_unknown_parts_are_named(part):
    with pytest.raises(UserError, match="a known"):
        build_model(**{"backbone": "mobilenet", "alpha": 0.25, **part})
