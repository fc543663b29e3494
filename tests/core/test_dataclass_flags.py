"""Flags made from dataclasses."""

import dataclasses

import pytest
from absl import flags

from landmark_zoo.core.dataclass_flags import attribute_texts, define_flags, from_flags


@dataclasses.dataclass(frozen=True)
class Settings:
    """Some settings.

    Attributes:
        epochs: How many passes,
            in all.
        rate: How fast.
        alpha: Width; unset for none.
        strict: Whether to stop.
    """

    epochs: int = 3
    rate: float = 0.1
    alpha: float | None = None
    strict: bool = False


@pytest.fixture
def values(monkeypatch):
    values = flags.FlagValues()
    for kind in ("integer", "float", "boolean", "string"):
        define = getattr(flags, f"DEFINE_{kind}")
        monkeypatch.setitem(define_flags.__globals__["_DEFINE"],
                            {"integer": int, "float": float, "boolean": bool, "string": str}[kind],
                            lambda *words, define=define: define(*words, flag_values=values))
    return values


def test_round_trip(values):
    define_flags(Settings, epochs=5)
    values(["script", "--rate=0.5", "--strict"])
    assert from_flags(Settings, values) == Settings(epochs=5, rate=0.5, strict=True)
    assert values["epochs"].help == "How many passes, in all."


def test_a_field_without_text_is_refused():
    @dataclasses.dataclass
    class Bare:
        """Bare."""

        epochs: int = 3

    with pytest.raises(ValueError, match=r"received none for \['epochs'\]"):
        attribute_texts(Bare)
