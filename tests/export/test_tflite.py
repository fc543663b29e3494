"""The script that writes TFLite."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_file_whose_embeddings_were_compared(script, small_export, photo_folder, tmp_path, precision):
    done = script("tflite", savedmodel=small_export, representative=photo_folder, precision=precision,
                  output=tmp_path / "small.tflite")
    assert done.returncode == 0, done.stderr
    assert "smallest cosine to the SavedModel" in done.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["small.tflite"]


def test_a_precision_there_is_not(run_export, tmp_path):
    done = run_export("tflite", savedmodel=tmp_path, representative=tmp_path, precision="fp8", output=tmp_path / "out")
    assert done.code == 2
    assert "fp8" in done.stderr
