"""`run_training`: a recipe, from records to checkpoints.

`TrainingSetup` builds model, objective, parameter groups and batches from the settings, `run_training` writes the facts of
the run, sets the initial weights and hands over to `trainer.Trainer`.
"""

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError, check_choice
from landmark_zoo.core.files import lock_directory, write_json
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.data.input_pipeline import evaluation_dataset
from landmark_zoo.data.manifest import Manifest, read_manifest
from landmark_zoo.models.registry import WHOLE, ModelConfig, describe_model_weights
from landmark_zoo.training.checkpoints import has_checkpoint
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo
from landmark_zoo.training.epoch_data import EpochData, TeacherEmbeddings, validation_batches
from landmark_zoo.training.history import create_or_check_run
from landmark_zoo.training.initialization import INITIAL_EMBEDDINGS, align_embedding, initialize_embedding
from landmark_zoo.training.model_selection import FACT, ModelSelection, find_unseen
from landmark_zoo.training.objectives import OBJECTIVES, ObjectiveConfig, build_objective
from landmark_zoo.training.optimizer import variable_groups
from landmark_zoo.training.precision import auto_precision, precision
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.sanity_checks import check_fixed_weights, startup_checks
from landmark_zoo.training.trainer import Trainer
from landmark_zoo.training.warm_start import warm_start

MAX_INITIALIZATION_IMAGES = 50_000  # whose features must fit into memory together


class TrainingSetup:
    """Model, head, objective, parameter groups and batches of a run, built from its settings.

    Args:
        model_config: Settings of the model.
        config: Settings of training.
        objective: Settings of the loss.
        sampling: Settings of the batches.
        manifest: Manifest of the training records.
        weights: Weights of the backbone; see `backbones.load_weights`.
        workdir: Folder of the run.
        teacher: Exported model that the objective distills from; see `epoch_data.TeacherEmbeddings`.

    Attributes:
        model_config: Settings of the model, without a head where the objective needs none.
        model: Built model.
        head: Head of the model, or None.
        objective: Loss and accuracy of a batch.
        groups: Parameter groups of the model.
        teacher: Embeddings of a distillation, to be prepared before the first step; None without.
        epoch_data: Training batches of every epoch.

    Raises:
        UserError: The settings contradict each other.
    """

    def __init__(self, model_config: ModelConfig, config: TrainingConfig, objective: ObjectiveConfig,
                 sampling: SamplingConfig, manifest: Manifest, weights: str | None, workdir: str | Path,
                 teacher: str | None = None):
        num_replicas = WorkerInfo.current().num_replicas
        if model_config.model in WHOLE:
            raise UserError("a model that is trained", f"{model_config.model}, which has its authors' weights",
                            "Choose another --model.")
        if config.batch_size % (config.accumulate * num_replicas):
            raise UserError(f"a --batch_size that {num_replicas} devices and --accumulate={config.accumulate} divide",
                            str(config.batch_size), "Change one of them.")
        if num_replicas > 1 and config.accumulate > 1 and objective.compares_images:
            loss = (f"--distillation={objective.distillation}" if OBJECTIVES[objective.objective].batches == "any" else
                    f"--objective={objective.objective}")
            raise UserError(f"--accumulate=1 for {loss} on {num_replicas} devices", str(config.accumulate),
                            "Leave --accumulate out.")
        if objective.distillation in ("similarity", "both") and config.batch_size // config.accumulate < 3:
            raise UserError(f"three images or more in a batch for --distillation={objective.distillation}",
                            f"{config.batch_size // config.accumulate}", "Raise --batch_size, or lower --accumulate.")
        if teacher and objective.distillation == "none":
            raise UserError("--distillation=embedding, similarity or both with --teacher", "none",
                            "Give --distillation, or leave --teacher out.")
        sampling.check(objective, config.batch_size // (config.accumulate * num_replicas))
        self._manifest, self._config, self._objective = manifest, config, objective
        self.model_config = model_config if objective.has_head else dataclasses.replace(model_config, head="none")
        with precision(config.precision):
            self.model = self.model_config.build(manifest.num_classes, weights)
        self.head = self.model.get_layer(model_config.head) if objective.has_head else None
        self.objective = build_objective(objective, self.model, self.head, manifest.class_counts, sampling.negatives)
        self.groups = variable_groups(self.model, config)
        dimension = self.model.output_shape["embedding"][-1]
        self.teacher = None if objective.distillation == "none" else TeacherEmbeddings(teacher, manifest, dimension, workdir)
        self.epoch_data = EpochData(manifest, config, sampling, self.model, workdir, self.teacher)

    def initialize(self, embedding: str, run: str | None) -> None:
        """Sets the weights that training starts from.

        Args:
            embedding: One of `INITIAL_EMBEDDINGS`.
            run: Folder of another run to start from; None for the backbone's weights.
        """
        if run:
            warm_start(self.model, run, self._manifest.label_map)
        batches = self._evaluation_views().take(-(-MAX_INITIALIZATION_IMAGES // self._config.batch_size))
        initialize_embedding(embedding, self.model, self.head, batches, self._config.seed)
        if self._objective.distills_embeddings:
            align_embedding(self.model, self.head, batches, self.teacher.first_rows(MAX_INITIALIZATION_IMAGES))

    def first_batch(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the first training images [B, S, S, 3], without random views, and their labels [B]."""
        return next(iter(self._evaluation_views().unbatch().repeat().batch(self._config.batch_size)))

    def starts_at_chance(self, embedding: str, run: str | None) -> bool:
        """Returns whether the first loss is the plain cross-entropy of a head with random weights."""
        plain = ObjectiveConfig(sampled_classes=self._objective.sampled_classes)
        return (self._objective == plain and "attention_logits" not in self.model.output_shape and embedding != "pca"
                and not run)

    def _evaluation_views(self) -> tf.data.Dataset:
        return evaluation_dataset(self._manifest, image_size=self._config.size_at(0), batch_size=self._config.batch_size)


def check_start(embedding: str, run: str | None) -> None:
    """Raises a `UserError` where `TrainingSetup.initialize` cannot take these arguments."""
    check_choice("initial_embedding", embedding, INITIAL_EMBEDDINGS)
    if run and embedding != "random":
        raise UserError("--initial_embedding=random with --initial_run, which brings its own", repr(embedding),
                        "Leave one of them out.")


def run_training(model_config: ModelConfig, config: TrainingConfig, records: str | Path, workdir: str | Path,
                 weights: str | None = None, initial_embedding: str = "random", *,
                 objective: ObjectiveConfig = ObjectiveConfig(),  # noqa: B008 (frozen)
                 sampling: SamplingConfig = SamplingConfig(),  # noqa: B008
                 initial_run: str | None = None, teacher: str | None = None,
                 should_stop: Callable[[], bool] = lambda: False, dry_run: bool = False) -> None:
    """Trains a model on `records` and writes checkpoints to `workdir`; started again, it continues from the last checkpoint.

    Under a strategy of several workers all of them call this; only the chief writes to `workdir`, which all must see.

    Args:
        model_config: Settings of the model; its head is left out where the objective needs none.
        config: Settings of training.
        records: Folder of `experiments.prepare`, with `train/`; for a validation after each epoch `validation/`; and for the
            choice of the best epoch `validation_landmarks/` (see `model_selection.find_unseen`).
        workdir: Folder of the run. Gets `model.json`, `label_map.json`, `recipe.json`, `flags.json`, `history.jsonl`,
            `tensorboard/`, `initial/`, `checkpoints/`, `best/` where unseen landmarks are measured, `tuples/` where they are
            mined, and `teacher/` where there is one.
        weights: Weights of the backbone; see `backbones.load_weights`.
        initial_embedding: Part fitted to images before training; one of `INITIAL_EMBEDDINGS`.
        objective: Settings of the loss.
        sampling: Settings of the batches.
        initial_run: Folder of another run, whose kept weights training starts from.
        teacher: Exported model from which `objective.distillation` learns; a run that goes on has its embeddings.
        should_stop: Called after each step; returns whether this process has been asked to stop.
        dry_run: Whether a backbone may stay frozen at random weights; see `sanity_checks.check_fixed_weights`.

    Raises:
        UserError: Settings, records or folders that the user must change, damaged records included.
        PreemptedError: A worker has been asked to stop; everything is saved.

    Example:
        >>> run_training(ModelConfig("resnet50_se", embedding_dim=512), TrainingConfig(epochs=5), "runs/records", "runs/a",
        ...              weights="imagenet", initial_embedding="pca")  # doctest: +SKIP
    """
    check_start(initial_embedding, initial_run)
    workdir, is_chief = Path(workdir), WorkerInfo.current().is_chief
    config = dataclasses.replace(config, precision=auto_precision(config.precision))
    manifest = read_manifest(Path(records) / "train")
    with lock_directory(workdir) if is_chief else contextlib.nullcontext(), _damaged_records_as_user_error(records):
        tf.keras.utils.set_random_seed(config.seed)
        setup = TrainingSetup(model_config, config, objective, sampling, manifest,
                              None if has_checkpoint(workdir) else weights, workdir, teacher)
        if not (weights or initial_run or has_checkpoint(workdir)):
            check_fixed_weights(setup.model, config, dry_run)
        unseen = find_unseen(records, manifest, config, setup.epoch_data.steps_per_epoch)
        if is_chief:
            create_or_check_run(workdir, setup.model_config, manifest.label_map, {
                "parameters": setup.model.count_params(), "photographs": manifest.num_examples, "source": manifest.source,
                "records_sha256": manifest.fingerprint, **({FACT: unseen.facts} if unseen else {}),
                **({"teacher": setup.teacher.facts} if setup.teacher else {}),
                **_pretrained(model_config, weights, initial_run, workdir)},
                config, objective, sampling)
            write_json(workdir / "flags.json", resolved_flags())
        else:
            tf.random.set_seed(config.seed + WorkerInfo.current().rank)
        if setup.teacher:
            setup.teacher.prepare()
        trainer = Trainer(setup.model, setup.objective, setup.groups, config, workdir, setup.epoch_data.steps_per_epoch,
                          lambda: setup.initialize(initial_embedding, initial_run))
        if config.epochs and not trainer.step:
            startup_checks(setup.model, setup.objective, setup.head, *setup.first_batch(), config,
                           setup.starts_at_chance(initial_embedding, initial_run))
        selection = ModelSelection.begin(unseen, config, trainer.checkpoints, setup.model, workdir, trainer.step)
        trainer.fit(setup.epoch_data, validation_batches(records, config, sampling, objective.objective), should_stop,
                    selection)
    logging.info("Trained %s for %d steps: %s", model_config.model, int(trainer.step), workdir)


def _pretrained(model: ModelConfig, weights: str | None, initial_run: str | Path | None, workdir: Path) -> dict[str, str]:
    """Returns where the weights of the backbone come from; a run that goes on has noted it, and may have lost the file."""
    if initial_run or has_checkpoint(workdir):
        return {}
    return describe_model_weights(model.model, weights, model.alpha)


@contextlib.contextmanager
def _damaged_records_as_user_error(records: str | Path) -> Iterator[None]:
    """Context manager that turns the error of a corrupted or truncated record file into a `UserError`."""
    try:
        yield
    except tf.errors.DataLossError as error:
        reason = re.sub(r"\{\{.*?\}\}|\[.*", "", error.message, flags=re.DOTALL).strip()
        raise UserError(f"whole record files in {records}", reason,
                        "Copy the folder again or prepare it again; training continues from the last checkpoint.") from error
