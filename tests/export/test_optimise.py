"""The script that makes an export faster."""

import pytest
import tensorflow as tf


@pytest.mark.slow
def test_a_table_and_a_new_version(script, small_export, photo_folder, tmp_path):
    done = script("optimise", savedmodel=small_export, pictures=photo_folder, output=tmp_path / "fast")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["variant", "as", "frozen", "folded", "folded_bfloat16"]
    assert sum("<- written" in line for line in lines) == 1
    assert lines[-1] == str(tmp_path / "fast" / "1")
    assert "bad.jpg is left out" in done.stderr
    assert "serving_default" in tf.saved_model.load(lines[-1]).signatures


def test_mistakes_are_one_line(script, small_export, tmp_path):
    done = script("optimise", savedmodel=tmp_path, pictures=tmp_path, output=tmp_path / "fast")
    assert done.returncode == 2
    assert "a SavedModel at" in done.stderr
    assert "Traceback" not in done.stderr
