"""What an export leaves on disk."""

import json

import pytest
import tensorflow as tf

from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.serving.card_notes import CardNotes
from landmark_zoo.serving.embedders.embedder_of import embedder_of
from landmark_zoo.serving.scales import Scales
from landmark_zoo.serving.write_saved_model import write_saved_model


def test_card_beside_the_model_and_outside_its_fingerprint(little_model, tmp_path):
    embedder = embedder_of(little_model, 64, Scales((0.7071, 1.0)))
    path = write_saved_model(embedder, tmp_path / "m", {"training_data": "drawn"}, CardNotes(licence="CC0"))
    card = json.loads((path / "card.json").read_text())
    assert (card["name"], card["version"], card["parameters"]) == ("m", "1", embedder.parameters)
    assert "| model | CC0 |" in (path / "README.md").read_text()
    loaded = EmbeddingModel(path)
    assert loaded.info["scales"] == [0.7071, 1.0] == card["info"]["scales"]
    (path / "card.json").write_text("{}")
    assert EmbeddingModel(path).fingerprint == loaded.fingerprint


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
