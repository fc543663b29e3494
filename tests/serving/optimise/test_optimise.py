"""The choice of a variant."""

import json
import shutil

import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.serving.isolated_check import isolated_check
from landmark_zoo.serving.optimise import optimise as module
from landmark_zoo.serving.optimise.optimise import AS_EXPORTED, optimise


@pytest.fixture
def times(monkeypatch):
    """Sets what is measured."""
    def fix(**milliseconds):
        monkeypatch.setattr(module, "milliseconds", lambda models, _: {name: milliseconds.get(name.replace(" ", "_"), 9.0)
                                                                       for name in models})
    return fix


@pytest.mark.parametrize(("fastest", "cosine", "chosen"), [
    ({"folded_bfloat16": 1.0, "folded": 2.0}, 0.999, "folded_bfloat16"),
    ({"folded_bfloat16": 1.0, "folded": 2.0}, 0.99999, "folded"),
    ({"as_exported": 0.5}, 0.999, AS_EXPORTED)])
def test_the_fastest_that_keeps_the_embeddings(small_export, photographs, times, tmp_path, fastest, cosine, chosen):
    times(**fastest)
    path, found, results = optimise(small_export, tmp_path / "fast", "cpu", photographs, cosine=cosine)
    assert (path, found) == (tmp_path / "fast/1", chosen)
    assert [result.name for result in results] == [AS_EXPORTED, "frozen", "folded", "folded_bfloat16"]
    facts = json.loads((path / "optimised.json").read_text())
    assert facts["variant"] == chosen
    assert len(facts["tried"]) == 4
    assert [folder.name for folder in (tmp_path / "fast").iterdir()] == ["1"]


def test_without_a_gpu_the_first_that_keeps_the_embeddings(small_export, photographs, tmp_path):
    path, chosen, results = optimise(small_export, tmp_path / "fast", "gpu", photographs[:1])
    assert chosen == "folded_bfloat16"
    assert {result.milliseconds for result in results} == {None}
    assert path.name == "1"


def test_the_card_goes_along(small_export, photographs, times, tmp_path, monkeypatch):
    times(folded=2.5)
    written = {}
    monkeypatch.setattr(module, "write_card", lambda folder, card: written.update(card))
    carded = shutil.copytree(small_export, tmp_path / "carded")
    write_json(carded / "card.json", {"name": "small", "speed": {"batch": 1, "milliseconds_per_picture": 9}})
    optimise(carded, tmp_path / "fast", "cpu", photographs[:1])
    assert written["optimised"]["variant"] == "folded"
    assert written["speed"]["milliseconds_per_picture"] == 2.5


def test_no_pictures(small_export, tmp_path):
    with pytest.raises(UserError, match="pictures to compare embeddings on; received none"):
        optimise(small_export, tmp_path / "fast", "cpu", [])
    assert not (tmp_path / "fast").exists()


@pytest.mark.slow
def test_it_runs_with_tensorflow_alone(small_export, photographs, tmp_path):
    path, _, _ = optimise(small_export, tmp_path / "fast", "cpu", photographs)
    assert len(isolated_check(path).embeddings)
