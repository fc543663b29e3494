"""`run_training`: a recipe, from records to checkpoints.

`TrainingSetup` builds model, objective, parameter groups and batches from the settings, `run_training` writes the facts of
the run, sets the initial weights and hands over to `trainer.Trainer`.
"""

import contextlib
import dataclasses
import functools
import gc
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError, check_choice, notify
from landmark_zoo.core.files import lock_directory, read_json, write_json
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.data.input_pipeline import evaluation_dataset
from landmark_zoo.data.manifest import VALIDATION_LANDMARKS, Manifest, read_manifest
from landmark_zoo.models.registry import WHOLE, ModelConfig, describe_model_weights
from landmark_zoo.training.cached_epochs import CachedEpochs
from landmark_zoo.training.checkpoints import RECIPE_FILE, has_checkpoint
from landmark_zoo.training.config import PRECISIONS, TrainingConfig
from landmark_zoo.training.distributed.collectives import WorkerInfo, broadcast
from landmark_zoo.training.epoch_data import EpochData, TeacherEmbeddings, validation_batches
from landmark_zoo.training.history import NOT_TRAINED, create_or_check_run, read_model, with_dimension_of
from landmark_zoo.training.initialization import INITIAL_EMBEDDINGS, align_embedding, build_for_pca, initialize_embedding
from landmark_zoo.training.model_selection import FACT, ModelSelection
from landmark_zoo.training.objectives import Objective, ObjectiveConfig, build_objective
from landmark_zoo.training.optimizer import GroupedOptimizer, variable_groups
from landmark_zoo.training.precision import TRIAL_WORTH, auto_precision, bfloat16_can_gain, precision, precision_by_trial
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.sanity_checks import check_fixed_weights, startup_checks
from landmark_zoo.training.train_step import TrainStep
from landmark_zoo.training.trainer import Trainer
from landmark_zoo.training.unseen_landmarks import find_unseen
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
        initial_embedding: Part that will be fitted to images, one of `INITIAL_EMBEDDINGS`; "pca" lowers the dimension of the
            embedding to what the images span (`initialization.build_for_pca`).
        teacher: Exported model that the objective distills from; see `epoch_data.TeacherEmbeddings`.

    Attributes:
        model_config: Settings of the model, without a head where the objective needs none, with the lowered dimension.
        model: Built model.
        head: Head of the model, or None.
        groups: Parameter groups of the model.
        teacher: Embeddings of a distillation, to be prepared before the first step; None without.

    Raises:
        UserError: The settings contradict each other.
    """

    def __init__(self, model_config: ModelConfig, config: TrainingConfig, objective: ObjectiveConfig,
                 sampling: SamplingConfig, manifest: Manifest, weights: str | None, workdir: str | Path,
                 initial_embedding: str = "random", teacher: str | None = None):
        num_replicas = WorkerInfo.current().num_replicas
        if model_config.model in WHOLE and not WHOLE[model_config.model].learns:
            raise UserError("a model that is trained", f"{model_config.model}, which has its authors' weights",
                            "Choose another --model.")
        if config.batch_size % (config.accumulate * num_replicas):
            raise UserError(f"a --batch_size that {num_replicas} devices and --accumulate={config.accumulate} divide",
                            str(config.batch_size), "Change one of them.")
        objective.check(config, num_replicas)
        if teacher and objective.distillation == "none":
            raise UserError("--distillation=embedding, similarity or both with --teacher", "none",
                            "Give --distillation, or leave --teacher out.")
        sampling.check(objective, config.batch_size // (config.accumulate * num_replicas))
        self._manifest, self._config, self._objective = manifest, config, objective
        self._sampling, self._workdir = sampling, workdir
        self.model_config = model_config if objective.has_head else dataclasses.replace(model_config, head="none")
        with precision(config.precision):
            if initial_embedding == "pca":
                images = min(manifest.num_examples, MAX_INITIALIZATION_IMAGES)
                self.model_config, self.model = build_for_pca(self.model_config, manifest.num_classes, weights, images)
            else:
                self.model = self.model_config.build(manifest.num_classes, weights)
        self.head = self.model.get_layer(model_config.head) if objective.has_head else None
        self.groups = variable_groups(self.model, config)
        dimension = self.model.output_shape["embedding"][-1]
        self.teacher = None if objective.distillation == "none" else TeacherEmbeddings(teacher, manifest, dimension, workdir)
        if not config.cached_views:
            _ = self.objective  # whose mistakes are found here

    @functools.cached_property
    def epoch_data(self) -> EpochData | CachedEpochs:
        """Training batches of every epoch; records that do not fill a batch are a `UserError`."""
        batches = EpochData(self._manifest, self._config, self._sampling, self.model, self._workdir, self.teacher)
        return batches if not self._config.cached_views else CachedEpochs(
            batches, self.model, self._objective_of, self._manifest, self._config, self._sampling, self._workdir)

    @functools.cached_property
    def objective(self) -> Objective:
        """Loss and accuracy of a batch."""
        return self.epoch_data.objective if self._config.cached_views else self._objective_of(self.model)

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

    def trial_step(self) -> Callable[[], object]:
        """Returns a function that makes a training step of all that learns in the last epoch, on the same images again."""
        config, run_step = self._config, tf.Variable(0, trainable=False, dtype=tf.int64)
        groups = [dataclasses.replace(group, from_epoch=0) for group in self.groups if group.from_epoch < config.epochs]
        optimizer = GroupedOptimizer(groups, config, self.epoch_data.steps_per_epoch, run_step)
        step = TrainStep(self.objective, optimizer, run_step, config, model=self.model)
        images, labels = (rows[:config.batch_size // WorkerInfo.current().num_replicas] for rows in self.first_batch())
        return functools.partial(step, images, labels)

    def starts_at_chance(self, embedding: str, run: str | None) -> bool:
        """Returns whether the first loss is the plain cross-entropy of a head with random weights."""
        plain = ObjectiveConfig(sampled_classes=self._objective.sampled_classes)
        return (self._objective == plain and "attention_logits" not in self.model.output_shape and embedding != "pca"
                and not run)

    def _objective_of(self, model: tf.keras.Model) -> Objective:
        return build_objective(self._objective, model, self.head, self._manifest.class_counts, self._sampling.negatives)

    def _evaluation_views(self) -> tf.data.Dataset:
        side = self._config.size_at(max(self._config.epochs - 1, 0))  # the last, on which a PCA is better than on a smaller
        return evaluation_dataset(self._manifest, image_size=side, batch_size=self._config.batch_size)


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
            choice of the best epoch `validation_landmarks/` (see `unseen_landmarks.find_unseen`).
        workdir: Folder of the run. Gets `model.json`, `label_map.json`, `recipe.json`, `flags.json`, `history.jsonl`,
            `tensorboard/`, `initial/`, `checkpoints/`, `best/` where unseen landmarks are measured, `tuples/` where they are
            mined, `teacher/` where there is one, and `features/` as long as epochs on cached features need them.
        weights: Weights of the backbone, see `backbones.load_weights`, or a published name, whose backbone the model gets.
        initial_embedding: Part fitted to images before training; one of `INITIAL_EMBEDDINGS`.
        objective: Settings of the loss.
        sampling: Settings of the batches.
        initial_run: Folder of another run, whose kept weights training starts from.
        teacher: Exported model from which `objective.distillation` learns; a run that goes on has its embeddings.
        should_stop: Called after each step; returns whether this process has been asked to stop.
        dry_run: Whether a backbone may stay frozen at random weights (see `sanity_checks.check_fixed_weights`), and whether
            to train where `why_not_trained` has a reason not to.

    Raises:
        UserError: Settings, records or folders that the user must change, damaged records included.
        PreemptedError: A worker has been asked to stop; everything is saved.

    Example:
        >>> run_training(ModelConfig("resnet50_se", embedding_dim=512), TrainingConfig(epochs=5), "runs/records", "runs/a",
        ...              weights="imagenet", initial_embedding="pca")  # doctest: +SKIP
    """
    check_start(initial_embedding, initial_run)
    model_config = model_config.for_weights(weights)
    workdir, is_chief = Path(workdir), WorkerInfo.current().is_chief
    manifest = read_manifest(Path(records) / "train")
    with lock_directory(workdir) if is_chief else contextlib.nullcontext(), _damaged_records_as_user_error(records):
        parts = (objective, sampling, manifest, weights, workdir)
        config = dataclasses.replace(config, precision=_resolve_precision(model_config, config, parts, dry_run))
        tf.keras.utils.set_random_seed(config.seed)
        goes_on = has_checkpoint(workdir)
        if goes_on and initial_embedding == "pca":
            model_config = with_dimension_of(workdir, model_config)
        setup = TrainingSetup(model_config, config, objective, sampling, manifest, None if goes_on else weights, workdir,
                              "random" if goes_on else initial_embedding, teacher)
        if not (weights or initial_run or goes_on):
            check_fixed_weights(setup.model, config, dry_run)
        reason = "" if dry_run else why_not_trained(records, manifest, config, workdir)
        steps_per_epoch = 1 if reason else setup.epoch_data.steps_per_epoch
        unseen = None if reason else find_unseen(records, manifest, config, steps_per_epoch)
        if is_chief:
            create_or_check_run(workdir, setup.model_config, manifest.label_map, {
                "parameters": setup.model.count_params(), "photographs": manifest.num_examples, "source": manifest.source,
                "records_sha256": manifest.fingerprint, **({FACT: unseen.facts} if unseen else {}),
                **({NOT_TRAINED: reason} if reason else {}), **({"teacher": setup.teacher.facts} if setup.teacher else {}),
                **_pretrained(model_config, weights, initial_run, workdir)},
                config, objective, sampling)
            write_json(workdir / "flags.json", resolved_flags())
        else:
            tf.random.set_seed(config.seed + WorkerInfo.current().rank)
        if setup.teacher:
            setup.teacher.prepare()
        trainer = Trainer(setup.model, setup.objective, setup.groups, config, workdir, steps_per_epoch,
                          lambda: setup.initialize(initial_embedding, initial_run))
        if reason:
            if is_chief:
                notify(f"Not trained; the export is the start: {reason}. Prepare records of more landmarks and images, or "
                       "train without this protection: --keep=last.")
            return
        if config.epochs and not trainer.step:
            startup_checks(setup.model, setup.objective, setup.head, *setup.first_batch(), config,
                           setup.starts_at_chance(initial_embedding, initial_run))
        selection = ModelSelection.begin(unseen, config, trainer.checkpoints, setup.model, workdir, trainer.step)
        trainer.fit(setup.epoch_data, validation_batches(records, config, sampling, objective.objective), should_stop,
                    selection)
        if config.cached_views:
            setup.epoch_data.remove()
    logging.info("Trained %s for %d steps: %s", model_config.model, int(trainer.step), workdir)


def why_not_trained(records: str | Path, train: Manifest, config: TrainingConfig, workdir: str | Path) -> str:
    """Returns why a run makes its start and no step; "" for a run that trains.

    Landmarks were to be kept out of training, so that the best epoch, or the start, can be chosen on them, and there were
    too few. Records prepared without keeping any out, or before that could be asked for, are trained on.

    Args:
        records: Folder of `experiments.prepare`.
        train: Manifest of the training records.
        config: Settings of training.
        workdir: Folder of the run, which goes on where it has begun to train.
    """
    if config.keep != "best" or not config.epochs or not train.validation_landmarks:
        return ""
    if (Path(records) / VALIDATION_LANDMARKS).exists():
        counts = read_manifest(Path(records) / VALIDATION_LANDMARKS).class_counts
        if sum(count > 1 for count in counts) > 1:
            return ""
    if has_checkpoint(workdir) and NOT_TRAINED not in read_model(workdir)[1]:
        return ""
    landmarks = sum(count > 0 for count in train.class_counts)
    return (f"too few landmarks or images to keep {100 * train.validation_landmarks:g} % of {landmarks} landmarks out of "
            "training and measure on them whether it helps")


def _resolve_precision(model_config: ModelConfig, config: TrainingConfig, parts: tuple, dry_run: bool) -> str:
    """Returns the precision of a run: for "auto" what its recipe.json holds, or in a new run what a trial finds.

    Args:
        model_config: Settings of the model.
        config: Settings of training.
        parts: Further arguments of `TrainingSetup`; the trial's models are built for it alone.
        dry_run: Whether nobody uses the result, so that no trial is made.
    """
    if config.precision != "auto":
        return config.precision
    objective, sampling, manifest, _, workdir = parts
    recipe = workdir / RECIPE_FILE
    known = read_json(recipe, dict).get("precision") if recipe.exists() else None
    kept = int(broadcast(PRECISIONS.index(known) if known in PRECISIONS else -1))
    if kept >= 0:
        logging.info("--precision=auto: %s, as the run began.", PRECISIONS[kept])
        return PRECISIONS[kept]
    steps = manifest.num_examples // config.batch_size
    if dry_run or config.epochs * min(steps, sampling.steps_per_epoch or steps) < TRIAL_WORTH:
        return PRECISIONS[int(broadcast(PRECISIONS.index(auto_precision("auto"))))]

    def make_step(policy: str) -> Callable[[], object]:
        trial = dataclasses.replace(config, precision=policy, cached_views=0)
        undistilled = dataclasses.replace(objective, distillation="none")
        return TrainingSetup(model_config, trial, undistilled, *parts[1:]).trial_step()

    chosen = precision_by_trial(make_step, bfloat16_can_gain())
    gc.collect()  # the models of the trial
    return chosen


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
