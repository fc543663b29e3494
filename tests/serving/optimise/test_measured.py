"""Measuring variants."""

import numpy as np
import pytest

from landmark_zoo.serving.optimise import measured


class Fake:
    """Embeds byte strings by their length."""

    def __init__(self, calls, name, angle=0.0):
        self.calls, self.name, self.angle = calls, name, angle

    def embed(self, encoded):
        self.calls.append((self.name, encoded))
        return np.array([np.cos(self.angle * len(encoded)), np.sin(self.angle * len(encoded))], np.float32)


def test_models_take_turns():
    calls = []
    found = measured.milliseconds({name: Fake(calls, name) for name in "ab"}, [b"x"] * 20)
    assert set(found) == {"a", "b"}
    assert [name for name, _ in calls] == ["a", "b"] * (len(calls) // 2)
    assert len(calls) == 2 * measured.TIMED * (measured.ROUNDS + 1)


def test_the_smallest_cosine_and_nan():
    expected = np.array([[1, 0], [1, 0]], np.float32)
    assert measured.smallest_cosine(Fake([], "a", 0.1), [b"x", b"xx"], expected) == pytest.approx(np.cos(0.2))
    assert measured.smallest_cosine(Fake([], "a", np.nan), [b"x", b"xx"], expected) == -1


def test_a_saved_model_embeds_and_has_a_size(exported, pictures, expected):
    model = measured.LoadedVariant(exported)
    np.testing.assert_allclose(model.embed(pictures[0]), expected[0], atol=1e-5)
    assert model.megabytes > 0.5
