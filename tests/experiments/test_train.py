"""Mistakes at the training script; whole runs are in tests/training/test_run.py."""

import pytest

from tests.experiments.run_script import run_script


@pytest.mark.parametrize(("change", "said"), [
    ({}, "finished records with a manifest.json"), ({"optimizer": "lion"}, "--optimizer among"),
    ({"initial_embedding": "none"}, "pca"), ({"epochs": -1}, "--epochs >= 0; received -1")])
def test_one_line(tmp_path, change, said):
    try:
        done = run_script("experiments.train", records=tmp_path, workdir=tmp_path / "run", **change)
    except Exception as error:  # a value that absl itself refuses ends before main, as core.script.run prints it
        assert said in str(error)  # noqa: PT017
        return
    assert done.code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
