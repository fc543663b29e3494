"""A training run, read from the files in its working folder."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, read_json_lines

_SELECTION = Path("best", "selection.json")
_SELECTION_FORM = {"keep": str, "photographs": int, "landmarks": int, "start": {"retrieval_map": float},
                   "kept": {"step": int, "epoch": int, "retrieval_map": float, "factor": float | None},
                   "gain": {"value": float, "low": float, "high": float}}


@dataclass(frozen=True)
class TrainingRun:
    """Facts, flags and history of a training run.

    Attributes:
        facts: Facts of `model.json`, the model's configuration among them; other nested tables are unfolded.
        flags: Flags of `flags.json`.
        training: Lines of the history with a loss, by step.
        validation: Lines of the history with a validation loss, by step.
        retrieval: Lines of the history with the retrieval of landmarks that training does not see, by step.
        selection: Checkpoint that the run keeps, how far from the start its weights lie, and its gain on those landmarks;
            empty where nothing was measured.
    """

    facts: dict[str, Any]
    flags: dict[str, Any]
    training: list[dict[str, Any]]
    validation: list[dict[str, Any]]
    retrieval: list[dict[str, Any]] = field(default_factory=list)
    selection: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str | None:
        """The model's name, where `model.json` tells it."""
        name = self.facts.get("name") or self.facts.get("model")
        return str(name) if name else None

    @property
    def not_trained(self) -> str:
        """Why the run made its start and no step; "" where it trained, or may yet."""
        return str(self.facts.get("not_trained", ""))

    @property
    def interpolation(self) -> str:
        """Where the kept weights lie between the start and those that were trained, in words; "" for the latter."""
        factor = self.selection.get("kept", {}).get("factor")
        return f", weights {factor:g} of the way from the start" if factor not in (None, 0, 1) else ""


def read_training_run(workdir: str | Path) -> TrainingRun:
    """Reads `model.json`, `flags.json`, `history.jsonl` and `best/selection.json`; one that is absent counts as empty.

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
                       _by_step(line for line in lines if "validation_loss" in line),
                       _by_step(line for line in lines if "retrieval_map" in line), _selection(workdir / _SELECTION))


def unfolded(facts: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns nested tables as one, keys joined by dots."""
    flat = {}
    for key, value in facts.items():
        if isinstance(value, dict) and value:
            flat.update(unfolded(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _selection(path: Path) -> dict[str, Any]:
    return read_json(path, _SELECTION_FORM) if path.exists() else {}


def _facts(path: Path) -> dict[str, Any]:
    return read_json(path, dict) if path.exists() else {}


def _history(path: Path) -> list[dict[str, Any]]:
    return list(read_json_lines(path, {"step": int}, finite=False)) if path.exists() else []


def _by_step(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    latest = {line["step"]: line for line in lines}
    return [latest[step] for step in sorted(latest)]
