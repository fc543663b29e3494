"""A training run, read from the files in its working folder."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json


@dataclass(frozen=True)
class TrainingRun:
    """What a working folder tells.

    Attributes:
        facts: Of `model.json`, the model's configuration among them; other nested tables are unfolded.
        flags: Of `flags.json`.
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

    A last line that is being written, or was cut off, is left out; of two lines for one step the later one counts.

    Raises:
        UserError: There is no such folder, or a file is broken.
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
    if not path.exists():
        return {}
    facts = read_json(path)
    if not isinstance(facts, dict):
        raise UserError(f"a JSON object in {path}", type(facts).__name__, "Make the file again.")
    return facts


def _history(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    *whole, _ = path.read_text(encoding="utf-8", errors="replace").split("\n")
    lines = []
    for number, text in enumerate(whole, start=1):
        try:
            line = json.loads(text)
            lines.append({"step": int(line.pop("step")), **line})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"a JSON object with a step in line {number} of {path}", f"{type(error).__name__}: {error}",
                            "Remove that line.") from error
    return lines


def _by_step(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    latest = {line["step"]: line for line in lines}
    return [latest[step] for step in sorted(latest)]
