"""The choice of a variant."""

import json
import shutil

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.serving.isolated_check import isolated_check
from landmark_zoo.serving.optimise import optimise as module
from landmark_zoo.serving.optimise.optimise import AS_EXPORTED, optimise


@pytest.fixture(scope="module")
def little_export(make_little, tmp_path_factory):
    return export_saved_model(make_little(), tmp_path_factory.mktemp("models") / "little", side=64, info={})


@pytest.fixture
def found(monkeypatch):
    """Sets what is measured, by variant; the variants themselves are copies."""
    def fix(milliseconds, cosine):
        monkeypatch.setattr(module, "milliseconds", lambda models, _: {name: milliseconds.get(name, 9.0) for name in models})
        monkeypatch.setattr(module, "smallest_cosine", lambda model, *_: cosine.get(model.path.name, 1.0))
        monkeypatch.setattr(module, "in_child_process", lambda _, source, path, __: shutil.copytree(source, path) and {})
    return fix


@pytest.mark.parametrize(("fastest", "cosine", "chosen"), [
    ({"folded_bfloat16": 1.0, "folded": 2.0}, {"folded_bfloat16": 0.9991}, "folded_bfloat16"),
    ({"folded_bfloat16": 1.0, "folded": 2.0}, {"folded_bfloat16": 0.9989}, "folded"),
    ({"folded_bfloat16": 1.0, "folded": 2.0}, {"folded_bfloat16": -1.0, "folded": 0.5}, "frozen"),
    ({AS_EXPORTED: 0.5}, {}, AS_EXPORTED)])
def test_the_fastest_that_keeps_the_embeddings(little_export, photographs, found, tmp_path, fastest, cosine, chosen):
    found({"frozen": 3.0, **fastest}, cosine)
    path, name, results = optimise(little_export, tmp_path / "fast", "cpu", photographs)
    assert (path, name) == (tmp_path / "fast/1", chosen)
    assert [result.name for result in results] == [AS_EXPORTED, "frozen", "folded", "folded_bfloat16"]
    facts = json.loads((path / "optimised.json").read_text())
    assert facts["variant"] == chosen
    assert len(facts["tried"]) == 4
    assert [folder.name for folder in (tmp_path / "fast").iterdir()] == ["1"]


def test_the_card_goes_along(little_export, photographs, found, tmp_path, monkeypatch):
    found({"folded": 2.5}, {})
    written = {}
    monkeypatch.setattr(module, "write_card", lambda folder, card: written.update(card))
    carded = shutil.copytree(little_export, tmp_path / "carded")
    write_json(carded / "card.json", {"name": "little", "speed": {"batch": 1, "milliseconds_per_picture": 9}})
    optimise(carded, tmp_path / "fast", "cpu", photographs[:1])
    assert written["optimised"]["variant"] == "folded"
    assert written["speed"]["milliseconds_per_picture"] == 2.5


def test_no_pictures(little_export, tmp_path):
    with pytest.raises(UserError, match="pictures to compare embeddings on; received none"):
        optimise(little_export, tmp_path / "fast", "cpu", [])
    assert not (tmp_path / "fast").exists()


@pytest.mark.slow
def test_without_a_gpu_the_first_that_keeps_the_embeddings(little_export, photographs, tmp_path):
    path, chosen, results = optimise(little_export, tmp_path / "fast", "gpu", photographs)
    assert chosen == "folded_bfloat16"
    assert {result.milliseconds for result in results} == {None}
    assert [result.convolutions_in_16_bits for result in results] == [0, 1, 1, 0]
    assert isolated_check(path).info["side"] == 64
