import json

import pytest
import tensorflow as tf

from landmark_zoo.data.protocol import Scales
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.embedders import embedder_of
from landmark_zoo.serving.export import write_saved_model
from landmark_zoo.serving.model_card import CardNotes


def test_holds_no_more_than_the_weights_without_the_head(model, exported):
    size = sum(path.stat().st_size for path in exported.rglob("*") if path.is_file())
    assert (exported / "variables" / "variables.index").exists()
    assert not (exported / "keras_metadata.pb").exists()
    assert size < 4 * model.count_params() + 2_000_000


def test_card_beside_the_model_and_outside_its_fingerprint(little_model, tmp_path):
    embedder = embedder_of(little_model, 64, Scales((0.7071, 1.0)))
    path = write_saved_model(embedder, tmp_path / "m", {"training_data": "drawn"}, CardNotes(licence="CC0"))
    card = json.loads((path / "card.json").read_text())
    assert (card["name"], card["version"], card["parameters"]) == ("m", "1", embedder.parameters)
    assert "| model | CC0 |" in (path / "README.md").read_text()
    loaded = SavedModel(path)
    assert loaded.info["scales"] == [0.7071, 1.0] == card["info"]["scales"]
    (path / "card.json").write_text("{}")
    assert SavedModel(path).fingerprint == loaded.fingerprint


def test_versions_count_up_and_a_failure_leaves_none(little_model, tmp_path, monkeypatch):
    embedder = embedder_of(little_model, 64)
    for version in ("1", "2"):
        assert write_saved_model(embedder, tmp_path / "m", {}).name == version
    assert not (tmp_path / "m" / "1" / "card.json").exists()

    def failing(*_, **__):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(tf.saved_model, "save", failing)
    with pytest.raises(OSError, match="No space"):
        write_saved_model(embedder, tmp_path / "m", {})
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["1", "2"]
