"""An export gives the same embeddings in the newest TensorFlow, in a virtual environment of its own."""

import subprocess
import venv

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.serving.isolated_check import isolated_check
from landmark_zoo.serving.optimise.variants import VARIANTS, write_variant

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


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("variant", [None, "folded"])
def test_the_same_embeddings(newest_python, small_export, photo_folder, tmp_path, variant):
    path = small_export
    if variant:
        path = tmp_path / variant
        write_variant(small_export, path, VARIANTS["cpu"][variant])
    pictures = sorted(photo_folder.glob("[0-9]*.jpg"))
    here, there = isolated_check(path, pictures), isolated_check(path, pictures, python=newest_python)
    assert there.tensorflow.startswith(NEWEST)
    assert not here.tensorflow.startswith(NEWEST)
    np.testing.assert_allclose(there.embeddings, here.embeddings, atol=1e-4)


def test_an_interpreter_without_tensorflow(small_export, tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    with pytest.raises(UserError, match="No module named"):
        isolated_check(small_export, python=tmp_path / "bare" / "bin" / "python")
