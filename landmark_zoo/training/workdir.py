"""The facts that a run keeps beside its checkpoints."""

import dataclasses
from pathlib import Path

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import read_json, write_json
from landmark_zoo.data.label_map import LabelMap
from landmark_zoo.models.config import ModelConfig

MODEL_FILE, LABELS_FILE, RECIPE_FILE = "model.json", "label_map.json", "recipe.json"
FREE = ("checkpoint_seconds", "checkpoint_steps", "log_steps")


def claim(workdir: Path, model: ModelConfig, label_map: LabelMap, facts: dict[str, object], *recipe: object) -> None:
    """Writes `model.json`, `label_map.json` and `recipe.json`, or checks that they are those of this run.

    Args:
        workdir: The run's folder.
        model: What is trained.
        label_map: Of the records.
        facts: More for `model.json`: parameters, training data.
        *recipe: Dataclasses that say how it is trained. When the run is started again their fields must have the same
            values, but for those of `FREE`, which do not change what comes out.

    Raises:
        UserError: The folder belongs to a run of another model, other landmarks or other flags.
    """
    _claim_model(workdir, model, label_map, facts)
    _claim_recipe(Path(workdir) / RECIPE_FILE, {
        key: value for part in recipe for key, value in vars(part).items() if key not in FREE})


def _claim_model(workdir: Path, model: ModelConfig, label_map: LabelMap, facts: dict[str, object]) -> None:
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


def _claim_recipe(path: Path, recipe: dict[str, object]) -> None:
    if not path.exists():
        write_json(path, recipe)
        return
    found = read_json(path)
    other = [key for key in sorted({*recipe, *found}) if recipe.get(key) != found.get(key)]
    if other:
        raise UserError(f"the flags of the run in {path.parent}: " + _flags(other, found), _flags(other, recipe),
                        "Use the flags of that run, or another --workdir.")


def _flags(names: list[str], values: dict[str, object]) -> str:
    return " ".join(f"--{name}={values.get(name)}" for name in names)


def read_model(workdir: str | Path) -> tuple[ModelConfig, dict[str, object]]:
    """Returns what a run trains, and all facts of its `model.json`."""
    facts = read_json(Path(workdir) / MODEL_FILE)
    known = {field.name for field in dataclasses.fields(ModelConfig)}
    if not isinstance(facts, dict) or set(facts.get("config", ())) != known:
        raise UserError(f"a model.json with config {sorted(known)} in {workdir}", str(facts)[:100],
                        "Use the version of this project that wrote it.")
    return ModelConfig(**facts["config"]), facts
