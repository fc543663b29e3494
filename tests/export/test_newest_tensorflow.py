"""An export gives the same embeddings in the newest TensorFlow, in a virtual environment of its own."""

import runpy
import subprocess
import venv

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.embedders.embedder_of import embedder_of
from landmark_zoo.serving.embedders.ensemble import Ensemble
from landmark_zoo.serving.embedders.whitened import Whitened, WhiteningMap
from landmark_zoo.serving.isolated_check import isolated_check
from landmark_zoo.serving.member import Member
from landmark_zoo.serving.optimise.variants import VARIANTS, write_variant
from landmark_zoo.serving.scales import Scales
from landmark_zoo.serving.write_saved_model import write_saved_model

NEWEST = "2.21"


@pytest.fixture(scope="session")
def newest_python(tmp_path_factory):
    """The interpreter of a virtual environment with the newest TensorFlow; pip finds it where pip is configured to look."""
    folder = tmp_path_factory.mktemp("newest")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    said = []
    for package in ("tensorflow-cpu", "tensorflow"):
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                               f"{package}=={NEWEST}.*"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return python
        said += [line for line in done.stderr.splitlines() if line.startswith("ERROR")][-1:]
    pytest.skip(f"pip cannot install TensorFlow {NEWEST}: {' / '.join(said)}")


@pytest.fixture(scope="session")
def exports(small_export, members, root, tmp_path_factory):
    """Name to `<name>/<version>` of every kind of export."""
    folder = tmp_path_factory.mktemp("exports")
    little = runpy.run_path(str(root / "tests/serving/conftest.py"))["little"](6)
    whitening = WhiteningMap(np.full(6, 0.1, np.float32), np.eye(6, 4, dtype=np.float32), "a rotation", "nothing")
    made = {"plain": small_export,
            "scales_whitening": write_saved_model(Whitened(embedder_of(little, 64, Scales((0.7071, 1.0))), whitening),
                                                  folder / "scales_whitening", {}),
            "ensemble": write_saved_model(Ensemble([Member(member) for member in members], (2, 1)), folder / "ensemble", {})}
    for name, variant in {**VARIANTS["cpu"], **VARIANTS["gpu"]}.items():
        made[name] = folder / name / "1"
        write_variant(small_export, made[name], variant)
    return made


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ["plain", "scales_whitening", "ensemble", "frozen", "folded", "folded_bfloat16",
                                  "folded_float16"])
def test_the_same_embeddings(newest_python, exports, photo_folder, name):
    pictures = sorted(photo_folder.glob("[0-9]*.jpg"))
    here, there = isolated_check(exports[name], pictures), isolated_check(exports[name], pictures, python=newest_python)
    assert there.tensorflow.startswith(NEWEST)
    assert not here.tensorflow.startswith(NEWEST)
    assert here.tolerance == (2e-2 if "float16" in name else 1e-4)
    np.testing.assert_allclose(there.embeddings, here.embeddings, atol=here.tolerance)


def test_an_interpreter_without_tensorflow(small_export, tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    with pytest.raises(UserError, match="No module named"):
        isolated_check(small_export, python=tmp_path / "bare" / "bin" / "python")
