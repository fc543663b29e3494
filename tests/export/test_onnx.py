"""The script that writes ONNX."""

import pytest


@pytest.mark.slow
def test_a_file_whose_embeddings_were_compared(script, small_export, photo_folder, tmp_path):
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    done = script("onnx", savedmodel=small_export, images=photo_folder, output=tmp_path / "a" / "small.onnx")
    assert done.returncode == 0, done.stderr
    assert "smallest cosine to the SavedModel 1.0000" in done.stdout or "0.9999" in done.stdout
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["small.onnx"]
