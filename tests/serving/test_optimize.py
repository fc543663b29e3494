"""The choice between a model as exported and frozen."""

import json
import math
import shutil

import numpy as np
import pytest

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.serving import optimize as module
from landmark_zoo.serving.export import export_saved_model
from landmark_zoo.serving.optimize import (
    AS_EXPORTED,
    FROZEN,
    PAIRS,
    VariantResult,
    choose,
    measure_seconds,
    optimize,
    ratio_bound,
)


class Fake:
    """Embeds byte strings by their length."""

    def __init__(self, calls, name, angle=0.0):
        self.calls, self.name, self.angle = calls, name, angle

    def embed_bytes(self, encoded):
        self.calls.append((self.name, encoded))
        return np.array([[np.cos(self.angle * len(one)), np.sin(self.angle * len(one))] for one in encoded], np.float32)


@pytest.mark.parametrize("count", [1, 3, 20])
def test_models_take_turns(count):
    calls = []
    found = measure_seconds({name: Fake(calls, name) for name in "ab"}, [b"x"] * count)
    names = [name for name, _ in calls]
    assert all(len(each) >= PAIRS for each in found.values())
    assert all({*pair} == {*"ab"} for pair in zip(names[::2], names[1::2], strict=True))
    counted = names[2 * min(count, 8):]
    assert counted[::2].count("a") == counted[::2].count("b") == len(found["a"]) / 2


def noisy(random, speed=1.0):
    """Times of two models in turn on a busy machine: bursts that last, single stalls, and the second's speed."""
    bursts = np.repeat(random.choice([1.0, 1.6, 2.5], PAIRS // 8, p=[0.6, 0.3, 0.1]), 8)
    pair = bursts * random.lognormal(0, 0.25, (2, PAIRS)) * np.where(random.random((2, PAIRS)) < 0.05, 5, 1)
    return pair[0], pair[1] * speed


@pytest.mark.parametrize(("speed", "least", "most"), [(1.0, 0, 0), (0.95, 0, 0.005), (1.1, 0, 0), (0.6, 0.95, 1)])
def test_noise_does_not_choose(speed, least, most):
    """In 1,000 tries a variant as fast, or 5 % faster, is hardly ever chosen; one that is much faster nearly always."""
    random, chosen = np.random.default_rng(0), 0
    for _ in range(1000):
        exported, frozen = noisy(random, speed)
        chosen += choose([VariantResult(AS_EXPORTED, 1.0, 1.0, 1.0, ratio_bound(exported, exported)),
                          VariantResult(FROZEN, 1.0, 1.0, 1.0, ratio_bound(frozen, exported))]).name == FROZEN
    assert least * 1000 <= chosen <= most * 1000


def test_a_quiet_machine_shows_a_tenth():
    random = np.random.default_rng(0)
    exported, frozen = random.lognormal(0, 0.03, PAIRS), 0.9 * random.lognormal(0, 0.03, PAIRS)
    assert 0.9 < ratio_bound(frozen, exported) < 0.95
    assert ratio_bound(frozen[:5], exported[:5]) == math.inf, "five times prove nothing"


def test_the_smallest_cosine_and_nan():
    expected = np.array([[1, 0], [1, 0]], np.float32)
    assert module.smallest_cosine(Fake([], "a", 0.1), [b"x", b"xx"], expected) == pytest.approx(np.cos(0.2))
    assert module.smallest_cosine(Fake([], "a", np.nan), [b"x", b"xx"], expected) == -1


@pytest.fixture(scope="module")
def little_export(make_little, tmp_path_factory):
    return export_saved_model(make_little(), tmp_path_factory.mktemp("models") / "little", side=64, info={})


@pytest.fixture
def found(monkeypatch):
    """Sets the cosine of the frozen variant, which is a copy, and returns what measures times (ms by variant)."""
    def fix(milliseconds, cosine):
        monkeypatch.setattr(module, "smallest_cosine", lambda model, *_: cosine.get(model.path.name, 1.0))
        monkeypatch.setattr(module, "run_in_child_process", lambda _, source, path: shutil.copytree(source, path))
        return lambda models, _: {name: np.full(PAIRS, milliseconds.get(name, 9.0) / 1000) for name in models}
    return fix


@pytest.mark.parametrize(("milliseconds", "cosine", "chosen"), [
    ({FROZEN: 3.0}, 0.9991, FROZEN), ({FROZEN: 3.0}, 0.9989, AS_EXPORTED), ({FROZEN: 8.6}, 1.0, AS_EXPORTED),
    pytest.param({FROZEN: 3.0}, -1.0, AS_EXPORTED, marks=pytest.mark.slow),
    pytest.param({AS_EXPORTED: 0.5}, 1.0, AS_EXPORTED, marks=pytest.mark.slow)])
def test_the_fastest_that_keeps_the_embeddings(little_export, encoded_images, found, tmp_path, milliseconds, cosine, chosen):
    measure = found(milliseconds, {FROZEN: cosine})
    path, name, results = optimize(little_export, tmp_path / "fast", encoded_images, measure=measure)
    assert (path, name) == (tmp_path / "fast/1", chosen)
    assert [result.name for result in results] == [AS_EXPORTED, FROZEN]
    facts = json.loads((path / "optimized.json").read_text())
    assert (facts["variant"], len(facts["tried"])) == (chosen, 2)
    assert [folder.name for folder in (tmp_path / "fast").iterdir()] == ["1"]


def test_the_card_goes_along(little_export, encoded_images, found, tmp_path, monkeypatch):
    measure = found({FROZEN: 2.5}, {})
    written = {}
    monkeypatch.setattr(module, "write_card", lambda folder, card: written.update(card))
    carded = shutil.copytree(little_export, tmp_path / "carded")
    write_json(carded / "card.json", {"name": "little", "speed": {"batch": 1, "milliseconds_per_picture": 9}})
    optimize(carded, tmp_path / "fast", encoded_images[:1], measure=measure)
    assert written["optimized"]["variant"] == FROZEN
    assert written["speed"]["milliseconds_per_picture"] == 2.5


def test_no_images(little_export, tmp_path):
    with pytest.raises(UserError, match="pictures to compare embeddings on; received none"):
        optimize(little_export, tmp_path / "fast", [])
    assert not (tmp_path / "fast").exists()
