"""The script that makes an export faster, under its name and its former one."""

import pytest
import tensorflow as tf


@pytest.mark.slow
@pytest.mark.parametrize("name", ["optimize", "optimise"])
def test_a_table_and_a_new_version(script, small_export, photo_folder, tmp_path, name):
    done = script(name, savedmodel=small_export, images=photo_folder, output=tmp_path / "fast", optimize_for="cpu")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["variant", "as", "frozen"]
    assert sum("<- written" in line for line in lines) == 1
    assert lines[-1] == str(tmp_path / "fast" / "1")
    assert "bad.jpg is left out" in done.stderr
    assert "serving_default" in tf.saved_model.load(lines[-1]).signatures


@pytest.mark.parametrize(("values", "said"), [
    ({}, "a SavedModel at"), ({"optimize_for": "gpu"}, "export the run with export.savedmodel --precision=bfloat16")])
def test_mistakes_are_one_line(run_export, tmp_path, values, said):
    done = run_export("optimize", savedmodel=tmp_path, images=tmp_path, output=tmp_path / "fast", **values)
    assert (done.code, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert not (tmp_path / "fast").exists()


@pytest.mark.slow
def test_the_former_name(script, tmp_path):
    done = script("optimise", savedmodel=tmp_path, pictures=tmp_path, output=tmp_path / "fast", optimize_for="gpu")
    assert (done.returncode, done.stderr.count("Error: "), done.stderr.count("Traceback")) == (2, 1, 0)
    assert "export the run with export.savedmodel --precision=bfloat16" in done.stderr
