"""Attention maps of a picture."""

import numpy as np

from landmark_zoo.models import build_model
from landmark_zoo.models.attention_maps import attention_maps


def test_planes_of_a_channel_attention_are_the_feature_map():
    model = build_model("mobilenet", "se", alpha=0.25)
    image = np.random.default_rng(0).integers(0, 256, (96, 64, 3)).astype(np.float32)
    maps = attention_maps(model, image)
    assert set(maps) == {"feature_map"}
    np.testing.assert_allclose(maps["feature_map"], np.linalg.norm(model(image[None])["feature_map"][0], axis=-1), rtol=1e-5)
    assert maps["feature_map"].shape == (3, 2)
