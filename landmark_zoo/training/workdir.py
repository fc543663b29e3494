"""The facts that a run keeps beside its checkpoints."""

import dataclasses
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.models.config import ModelConfig

MODEL_FILE, LABELS_FILE = "model.json", "label_map.json"


def claim(workdir: Path, model: ModelConfig, label_map: LabelMap, facts: dict[str, object]) -> None:
    """Writes `model.json` and `label_map.json`, or checks that they are those of this run.

    Args:
        workdir: The run's folder.
        model: What is trained.
        label_map: Of the records.
        facts: More for `model.json`: parameters, training data.

    Raises:
        UserError: The folder belongs to a run of another model or other landmarks.
    """
    path = Path(workdir) / MODEL_FILE
    config = {"config": dataclasses.asdict(model), "num_classes": len(label_map)}
    if path.exists():
        found = read_json(path)
        for key, value in config.items():
            if found.get(key) != value:
                raise UserError(f"{key} {found.get(key)} in {workdir}", str(value),
                                "Use the flags of that run, or another --workdir.")
        if LabelMap.load(Path(workdir) / LABELS_FILE).fingerprint != label_map.fingerprint:
            raise UserError(f"the landmarks that {workdir} was trained on", "records with other landmarks",
                            "Use those records, or another --workdir.")
        return
    label_map.save(Path(workdir) / LABELS_FILE)
    write_json(path, {**config, **facts})


def read_model(workdir: str | Path) -> tuple[ModelConfig, dict[str, object]]:
    """Returns what a run trains, and all facts of its `model.json`."""
    facts = read_json(Path(workdir) / MODEL_FILE)
    known = {field.name for field in dataclasses.fields(ModelConfig)}
    if not isinstance(facts, dict) or set(facts.get("config", ())) != known:
        raise UserError(f"a model.json with config {sorted(known)} in {workdir}", str(facts)[:100],
                        "Use the version of this project that wrote it.")
    return ModelConfig(**facts["config"]), facts
