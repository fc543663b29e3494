"""The check in a process that cannot import this project."""

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.isolated_check import isolated_check


def test_loads_where_this_project_cannot_be_imported(exported, pictures, expected, tmp_path):
    paths = []
    for number, picture in enumerate(pictures):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(picture)
    embeddings, signatures = isolated_check(exported, paths)
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)
    assert set(signatures) == {"serving_default", "images", "info", "local"}
    assert "string" in signatures["serving_default"]["inputs"]["image_bytes"]


def test_no_saved_model(tmp_path):
    with pytest.raises(UserError, match="a SavedModel at"):
        isolated_check(tmp_path, [])
