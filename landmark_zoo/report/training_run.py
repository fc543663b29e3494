"""A training run, read from the files in its working folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, read_json_lines


@dataclass(frozen=True)
class TrainingRun:
    """Facts, flags and history of a training run.

    Attributes:
        facts: Facts of `model.json`, the model's configuration among them; other nested tables are unfolded.
        flags: Flags of `flags.json`.
        training: Lines of the history with a loss, by step.
        validation: Lines of the history with a validation loss, by step.
    """

    facts: dict[str, Any]
    flags: dict[str, Any]
    training: list[dict[str, Any]]
    validation: list[dict[str, Any]]

    @property
    def model(self) -> str | None:
        """The model's name, where `model.json` tells it."""
        name = self.facts.get("name") or self.facts.get("model")
        return str(name) if name else None


def read_training_run(workdir: str | Path) -> TrainingRun:
    """Reads `model.json`, `flags.json` and `history.jsonl`; one that is absent counts as empty.

    Of two lines of the history for one step the later one counts; see `read_json_lines` for broken ones.

    Raises:
        UserError: There is no such folder, or a file of facts is broken.
    """
    workdir = Path(workdir)
    if not workdir.is_dir():
        raise UserError(f"a training folder at {workdir}", "none", "Check --workdir.")
    lines = _history(workdir / "history.jsonl")
    facts = {key.removeprefix("config."): value for key, value in unfolded(_facts(workdir / "model.json")).items()}
    return TrainingRun(facts, unfolded(_facts(workdir / "flags.json")),
                       _by_step(line for line in lines if "loss" in line),
                       _by_step(line for line in lines if "validation_loss" in line))


def unfolded(facts: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns nested tables as one, keys joined by dots."""
    flat = {}
    for key, value in facts.items():
        if isinstance(value, dict) and value:
            flat.update(unfolded(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _facts(path: Path) -> dict[str, Any]:
    return read_json(path, dict) if path.exists() else {}


def _history(path: Path) -> list[dict[str, Any]]:
    return list(read_json_lines(path, {"step": int}, finite=False)) if path.exists() else []


def _by_step(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    latest = {line["step"]: line for line in lines}
    return [latest[step] for step in sorted(latest)]
