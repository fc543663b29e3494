"""Files of one lane are read on the other, and a run goes on there, in both directions."""

import subprocess

import numpy as np
import pytest

from landmark_zoo.core.files import read_json
from tests import lane_files

ARRAYS = ("checkpoint", "model.keras", "model.weights.h5", "saved_model", "flat", "hnsw", "images", "labels")


@pytest.fixture(scope="module", params=["written here", "written there"])
def exchanged(request, root, other_python, tmp_path_factory):
    """Folders of what the writer and the reader saw in the same files."""
    folder = tmp_path_factory.mktemp("exchange")

    def there(*words):
        done = subprocess.run([other_python, "-m", "tests.lane_files", *map(str, words)], cwd=root, capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    if request.param == "written here":
        lane_files.write(folder)
    else:
        there("write", folder)
    lane_files.read(folder, folder / "here")
    there("read", folder, folder / "there")
    pair = folder / "here", folder / "there"
    return pair if request.param == "written here" else pair[::-1]


@pytest.fixture(scope="module")
def facts(exchanged):
    return [read_json(folder / "facts.json") for folder in exchanged]


@pytest.mark.slow
def test_there_are_two_lanes(facts):
    assert {one["tensorflow"].rpartition(".")[0] for one in facts} == {"2.15", "2.21"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ARRAYS)
def test_the_same_numbers(exchanged, name):
    writer, reader = (np.load(folder / "arrays.npz")[name] for folder in exchanged)
    assert np.ptp(writer) > 0.1
    np.testing.assert_allclose(reader, writer, atol=1e-5)


@pytest.mark.slow
def test_one_model_in_all_its_files(exchanged):
    arrays = np.load(exchanged[1] / "arrays.npz")
    for name in ("model.keras", "model.weights.h5", "saved_model"):
        np.testing.assert_allclose(arrays[name], arrays["checkpoint"], atol=1e-5)


@pytest.mark.slow
def test_the_same_ranking(facts):
    assert facts[0]["ids"] == facts[1]["ids"]
    assert len(facts[0]["ids"]["flat"][0]) == 5


@pytest.mark.slow
def test_training_goes_on_at_the_same_step(exchanged, facts):
    writer, reader = facts
    assert reader["steps"] == writer["steps"] == list(range(1, 7))
    assert reader["losses"][:lane_files.STOPPED] == writer["losses"][:lane_files.STOPPED]
    np.testing.assert_allclose(reader["losses"], writer["losses"], rtol=1e-3)
    ends = [np.load(folder / "arrays.npz")["resumed"] for folder in exchanged]
    np.testing.assert_allclose(*ends, atol=1e-2)
    assert np.abs(ends[0] - np.load(exchanged[0] / "arrays.npz")["checkpoint"]).max() > 2e-2
