"""What an export leaves on disk."""

import pytest
import tensorflow as tf

from landmark_zoo.serving.export import export_saved_model


def test_holds_no_more_than_the_weights(model, exported):
    size = sum(path.stat().st_size for path in exported.rglob("*") if path.is_file())
    assert (exported / "variables" / "variables.index").exists()
    assert not (exported / "keras_metadata.pb").exists()
    assert size < 4 * model.count_params() + 2_000_000


def test_versions_count_up_and_a_failure_leaves_none(model, tmp_path, monkeypatch):
    for version in ("1", "2"):
        assert export_saved_model(model, tmp_path / "m", side=64, info={}).name == version

    def failing(*_, **__):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(tf.saved_model, "save", failing)
    with pytest.raises(OSError, match="No space"):
        export_saved_model(model, tmp_path / "m", side=64, info={})
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["1", "2"]
