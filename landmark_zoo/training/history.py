"""Facts that a run writes beside its checkpoints: model.json, label_map.json, recipe.json, history.jsonl, TensorBoard."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_type_hints

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import atomic_write, read_json, read_json_lines, write_json
from landmark_zoo.core.strict_json import check_form
from landmark_zoo.data.manifest import LabelMap
from landmark_zoo.models.registry import ModelConfig
from landmark_zoo.training.checkpoints import RECIPE_FILE, full_disk_as_os_error

MODEL_FILE, LABELS_FILE = "model.json", "label_map.json"
CHANGEABLE_FIELDS = ("checkpoint_seconds", "checkpoint_steps", "log_steps",  # which do not change the result
                     "cache_gigabytes",
                     "patience")  # so that a run that ended early can be given more
YOUNGER_FIELDS = ("keep",)  # which recipes of earlier releases lack: their runs take any
FORMER_VALUES = {"layer_decay": 1.0, "weight_interpolation": "1", "cached_views": 0,  # of fields which such recipes lack
                 "distillation": "none", "distillation_weight": 0.5}
NOT_TRAINED = "not_trained"  # of model.json: why the run made its start and no step


class History:
    """Writer of `history.jsonl`, one line of numbers at a time, and of the same numbers to TensorBoard.

    Args:
        workdir: Folder of the run.
        step: Step at which the run continues; lines of later steps, written after the last checkpoint, are dropped.
    """

    def __init__(self, workdir: Path, step: int):
        self.path = Path(workdir) / "history.jsonl"
        kept = [line for line in read_history(self.path) if line["step"] <= step]
        with full_disk_as_os_error(str(self.path)), atomic_write(self.path) as file:
            file.writelines(json.dumps(line) + "\n" for line in kept)
        self._writer = tf.summary.create_file_writer(str(Path(workdir) / "tensorboard"))

    def add(self, step: int, **facts: float) -> None:
        """Appends the line {"step": step, **facts}; a full disk raises an OSError and leaves the lines before."""
        with full_disk_as_os_error(str(self.path)):
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **facts}) + "\n")
            with self._writer.as_default():
                for name, value in facts.items():
                    tf.summary.scalar(name, value, step)
            self._writer.flush()


def read_history(path: str | Path) -> list[dict]:
    """Reads the lines of a `history.jsonl`, in the order of steps.

    Args:
        path: The file; an absent one gives no lines.

    Returns:
        One dict per line: "step" and "epoch" with "loss", "accuracy", "learning_rate" and "images_per_second", with
        "validation_loss" and "validation_accuracy", or, from step 0 on, with "retrieval_map", "retrieval_mp5" and
        "retrieval_recall1" on landmarks that training does not see. A line that is no JSON object with a step is left out
        and named in the log, a last one that a crash cut off among them.

    Example:
        >>> read_history("no_such_run/history.jsonl")
        []
    """
    return list(read_json_lines(path, {"step": int}, finite=False)) if Path(path).exists() else []


def create_or_check_run(workdir: Path, model: ModelConfig, label_map: LabelMap, facts: dict[str, object],
                        *recipe: object) -> None:
    """Writes `model.json`, `label_map.json` and `recipe.json`, or checks that those in the folder belong to this run.

    Args:
        workdir: Folder of the run.
        model: Configuration of the model.
        label_map: Label map of the training records.
        facts: Further facts for `model.json`: parameters, training data. "records_sha256" (`Manifest.fingerprint`) must be
            the same when a run is started again; a run without it takes that of the records at hand. `NOT_TRAINED` where
            no step will be made.
        *recipe: Dataclasses of training settings. When a run is started again, their fields must have the same values,
            except `CHANGEABLE_FIELDS`; where it was `NOT_TRAINED` and now will be, `keep` may be another too.

    Raises:
        UserError: The folder belongs to a run of another model, other landmarks, other records or other flags.
    """
    path = Path(workdir) / RECIPE_FILE
    _create_or_check_model(workdir, model, label_map, facts)
    found = read_json(Path(workdir) / MODEL_FILE, dict)
    recipe = {key: value for config in recipe for key, value in vars(config).items() if key not in CHANGEABLE_FIELDS}
    if found.get(NOT_TRAINED) == facts.get(NOT_TRAINED):
        _create_or_check_recipe(path, recipe)
        return
    _create_or_check_recipe(path, recipe, free=("keep",))
    write_json(path, recipe)
    write_json(Path(workdir) / MODEL_FILE, {**{key: value for key, value in found.items() if key != NOT_TRAINED},
                                            **{key: value for key, value in facts.items() if key == NOT_TRAINED}})


def _create_or_check_model(workdir: Path, model: ModelConfig, label_map: LabelMap, facts: dict[str, object]) -> None:
    path = Path(workdir) / MODEL_FILE
    if path.exists():
        config, found = read_model(workdir)
        _check_flags(f"config of the run in {workdir}", vars(config), vars(model))
        if found.get("num_classes") != len(label_map):
            raise UserError(f"num_classes {found.get('num_classes')} in {workdir}", str(len(label_map)),
                            "Use the records of that run, or another --workdir.")
        if LabelMap.load(Path(workdir) / LABELS_FILE).fingerprint != label_map.fingerprint:
            raise UserError(f"the landmarks that {workdir} was trained on", "records with other landmarks",
                            "Use those records, or another --workdir.")
        _check_records(workdir, found, facts)
        return
    label_map.save(Path(workdir) / LABELS_FILE)
    write_json(path, {"config": dataclasses.asdict(model), "num_classes": len(label_map), **facts})


def _check_records(workdir: Path, found: dict[str, object], facts: dict[str, object]) -> None:
    """Compares the records of a run with those at hand; a run without a checksum gets that of as many images at hand."""
    ours, theirs = facts.get("records_sha256"), found.get("records_sha256")
    if ours is None or ours == theirs:
        return
    if theirs is None and found.get("photographs") in (None, facts.get("photographs")):
        logging.warning("%s does not say which records it was trained on; these are taken for them.", workdir)
        write_json(Path(workdir) / MODEL_FILE, {**found, "records_sha256": ours})
        return
    raise UserError(f"the records that {workdir} was trained on ({found.get('photographs')} images, SHA-256 "
                    f"{(theirs or 'unknown')[:12]})",
                    f"records of other content ({facts.get('photographs')} images, {ours[:12]})",
                    "Use those records, or another --workdir.")


def _create_or_check_recipe(path: Path, recipe: dict[str, object], free: Sequence[str] = ()) -> None:
    if not path.exists():
        write_json(path, recipe)
        return
    younger = FORMER_VALUES | {name: recipe.get(name) for name in YOUNGER_FIELDS}
    found = {name: value for name, value in younger.items() if name in recipe} | read_json(path, dict)
    found |= {name: recipe[name] for name in free if name in recipe}
    _check_flags(f"flags of the run in {path.parent}", found, recipe)


def _check_flags(what: str, found: dict[str, object], wanted: dict[str, object]) -> None:
    other = [key for key in sorted({*wanted, *found}) if wanted.get(key) != found.get(key)]
    if other:
        raise UserError(f"the {what}: {_flags(other, found)}", _flags(other, wanted),
                        "Use the flags of that run, or another --workdir.")


def _flags(names: list[str], values: dict[str, object]) -> str:
    return " ".join(f"--{name}={values.get(name)}" for name in names)


def with_dimension_of(workdir: str | Path, config: ModelConfig) -> ModelConfig:
    """Returns the settings of a model with the embedding of a run, where that got fewer dimensions than are asked for.

    Args:
        workdir: Folder of the run, whose PCA of few images has lowered the dimension (`initialization.build_for_pca`).
        config: Settings of the model.
    """
    dimension = read_model(workdir)[0].embedding_dim
    return dataclasses.replace(config, embedding_dim=dimension) if 0 < dimension < config.embedding_dim else config


def read_model(workdir: str | Path) -> tuple[ModelConfig, dict[str, object]]:
    """Reads the model configuration of a run, and all facts of its `model.json`.

    Args:
        workdir: Folder of the run.

    Returns:
        The configuration, whose `build(facts["num_classes"])` makes the model; and the facts.

    Raises:
        UserError: No `model.json`, or one of another version of this project.
    """
    path = Path(workdir) / MODEL_FILE
    facts = read_json(path)
    try:
        types = {name: kind for name, kind in get_type_hints(ModelConfig).items() if name in facts["config"]}
        check_form({"config": facts["config"]}, {"config": types}, path)
        config = ModelConfig.read(facts["config"])
    except (AttributeError, KeyError, TypeError) as error:
        known = [field.name for field in dataclasses.fields(ModelConfig)]
        raise UserError(f"a model.json with config {sorted(known)} in {workdir}", str(facts)[:100],
                        "Use the version of this project that wrote it.") from error
    check_form(facts, {"num_classes": int}, path)
    return config, facts
