"""An export gives the same embeddings in the TensorFlow of the other lane."""

import functools
import venv

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.data.protocol import Scales
from landmark_zoo.models.build import build_model
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.check import isolated_check
from landmark_zoo.serving.embedders import Whitened, WhiteningMap, embedder_of
from landmark_zoo.serving.ensemble import Ensemble
from landmark_zoo.serving.export import write_saved_model
from landmark_zoo.serving.freeze import freeze
from landmark_zoo.training.precision import precision
from tests.serving.conftest import little


@pytest.fixture(scope="session")
def exports(small_export, members, root, tmp_path_factory):
    """Name to `<name>/<version>` of every kind of export."""
    folder = tmp_path_factory.mktemp("exports")
    network = little(6)
    whitening = WhiteningMap(np.full(6, 0.1, np.float32), np.eye(6, 4, dtype=np.float32), "a rotation", "nothing")
    made = {"plain": small_export,
            "scales_whitening": write_saved_model(Whitened(embedder_of(network, 64, Scales((0.7071, 1.0))), whitening),
                                                  folder / "scales_whitening", {}),
            "ensemble": write_saved_model(Ensemble([SavedModel(path) for path in members], (2, 1)), folder / "ensemble", {})}
    made["frozen"] = folder / "frozen" / "1"
    freeze(small_export, made["frozen"])
    build = functools.partial(build_model, "mobilenet", "se", alpha=0.25, embedding_dim=16)
    made["folded"] = write_saved_model(embedder_of(build(), 64, fold=True), folder / "folded", {})
    with precision("mixed_bfloat16"):
        made["bfloat16"] = write_saved_model(embedder_of(build(), 64, fold=True), folder / "bfloat16", {}, frozen=True)
    return made


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ["plain", "scales_whitening", "ensemble", "frozen", "folded", "bfloat16"])
def test_the_same_embeddings(other_python, exports, photo_folder, name):
    images = sorted(photo_folder.glob("[0-9]*.jpg"))
    here, there = isolated_check(exports[name], images), isolated_check(exports[name], images, python=other_python)
    assert {version.rpartition(".")[0] for version in (here.tensorflow, there.tensorflow)} == {"2.15", "2.21"}
    assert here.tolerance == (2e-2 if name == "bfloat16" else 1e-4)
    np.testing.assert_allclose(there.embeddings, here.embeddings, atol=here.tolerance)


@pytest.mark.slow
def test_an_interpreter_without_tensorflow(small_export, tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    with pytest.raises(UserError, match="No module named"):
        isolated_check(small_export, python=tmp_path / "bare" / "bin" / "python")
