"""A PCA fitted on photographs."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.picture import Picture
from landmark_zoo.retrieval.whitening.fit_on_photographs import fit_on_photographs


def test_is_the_whitening_of_that_model(tiny_path, tiny_model, paint, tmp_path):
    pictures = [Picture(str(seed), paint(f"{seed}.png", seed)) for seed in range(12)]
    whitening = fit_on_photographs(tiny_path, [*pictures, Picture("bad", tmp_path / "absent.png")], 3, 0.25, tmp_path / "e")
    assert whitening.projection.shape == (12, 3)
    assert whitening.model_fingerprint == tiny_model.fingerprint
    assert whitening.provenance["fitted_on"].startswith("12 embeddings")
    vectors = tiny_model.embed_bytes([picture.path.read_bytes() for picture in pictures])
    np.testing.assert_allclose(whitening.mean, vectors.mean(axis=0), atol=5e-3)  # PNGs go through a JPEG


def test_too_few_photographs(tiny_path, paint, tmp_path):
    with pytest.raises(UserError, match="embeddings that vary in 8 directions or more"):
        fit_on_photographs(tiny_path, [Picture("a", paint("a.png", 0)), Picture("b", paint("b.png", 1))], 8, 0.25,
                           tmp_path / "e")
