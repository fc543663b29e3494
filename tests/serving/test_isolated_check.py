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
    found = isolated_check(exported, paths)
    np.testing.assert_allclose(found.embeddings, expected, atol=1e-5)
    assert set(found.signatures) == {"serving_default", "images", "crop", "info", "local"}
    assert "string" in found.signatures["serving_default"]["inputs"]["image_bytes"]
    assert (found.info["name"], found.info["scales"]) == ("small", [1.0])


def test_no_saved_model(tmp_path):
    with pytest.raises(UserError, match="a SavedModel at"):
        isolated_check(tmp_path)


def test_no_interpreter(exported, tmp_path):
    with pytest.raises(UserError, match=r"a Python interpreter at .*; received No such file"):
        isolated_check(exported, python=tmp_path / "python")
