"""One photograph, named by the user."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.retrieval.embed_photograph import embed_photograph
from landmark_zoo.retrieval.picture import Picture


def test_whole_and_cut(tiny_model, paint):
    path = paint("a.jpg", 1)
    whole = embed_photograph(tiny_model, Picture("a", path))
    assert whole.shape == (1, 12)
    np.testing.assert_allclose(embed_photograph(tiny_model, Picture("a", path, (0, 0, 64, 48))), whole, atol=0.01)
    assert np.abs(embed_photograph(tiny_model, Picture("a", path, (0, 0, 32, 48))) - whole).max() > 0.03


def test_mistakes_are_named(tiny_model, paint, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        embed_photograph(tiny_model, Picture("a", tmp_path / "absent.jpg"))
    with pytest.raises(UserError, match="64 x 48 pixels"):
        embed_photograph(tiny_model, Picture("a", paint("a.jpg", 1), (0, 0, 640, 480)))


def test_bytes_that_the_model_refuses(tiny_model, paint, monkeypatch):
    monkeypatch.setattr("landmark_zoo.retrieval.embed_photograph.model_input", lambda _: b"no picture")
    with pytest.raises(UserError, match="Unknown image file format"):
        embed_photograph(tiny_model, Picture("a", paint("a.jpg", 1)))
