"""A whole training run: records in, checkpoints out."""

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.assembly import Assembly, check_start
from landmark_zoo.training.card_precision import card_precision
from landmark_zoo.training.checkpoints import has_checkpoint
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.objectives.config import ObjectiveConfig
from landmark_zoo.training.place import Place
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.startup_checks import startup_checks
from landmark_zoo.training.trainer import Trainer
from landmark_zoo.training.validation import validation_batches
from landmark_zoo.training.workdir import claim


def run_training(model_config: ModelConfig, config: TrainingConfig, records: str | Path, workdir: str | Path,
                 weights: str | None = None, initial_embedding: str = "random", *,
                 objective: ObjectiveConfig = ObjectiveConfig(),  # noqa: B008 (frozen)
                 sampling: SamplingConfig = SamplingConfig(),  # noqa: B008
                 initial_run: str | None = None, stop: Callable[[], bool] = lambda: False) -> None:
    """Trains on `records` into `workdir`; started again, it goes on where it was.

    Under a strategy of several workers all of them call this; the chief alone holds and fills `workdir`, which all must see.

    Args:
        model_config: What is trained; its head is left out where the objective needs none.
        config: How.
        records: Folder of `experiments.prepare`, with `train/` and, for a validation after each epoch, `validation/`.
        workdir: Gets `model.json`, `label_map.json`, `recipe.json`, `flags.json`, `history.jsonl`, `tensorboard/`,
            `initial/`, `checkpoints/` and, where tuples are mined, `tuples/`.
        weights: The backbone's; see `backbones.load_weights`.
        initial_embedding: One of `INITIAL_EMBEDDINGS`.
        objective: On what loss.
        sampling: In what batches.
        initial_run: Folder of a run whose weights are the initial ones.
        stop: Asked after each step whether this process has been told to end.

    Raises:
        UserError: What the user can mend, damaged records included.
        ToldToStopError: Any worker has been told to end; all is saved.
    """
    check_start(initial_embedding, initial_run)
    workdir, is_chief = Path(workdir), Place.here().is_chief
    config = dataclasses.replace(config, precision=card_precision(config.precision))
    manifest = read_manifest(Path(records) / "train")
    with lock_directory(workdir) if is_chief else contextlib.nullcontext(), _naming_damaged(records):
        tf.keras.utils.set_random_seed(config.seed)
        parts = Assembly(model_config, config, objective, sampling, manifest, None if has_checkpoint(workdir) else weights,
                         workdir)
        if is_chief:
            claim(workdir, parts.model_config, manifest.label_map, {
                "parameters": parts.model.count_params(), "photographs": manifest.num_examples, "source": manifest.source},
                config, objective, sampling)
            write_json(workdir / "flags.json", resolved_flags())
        else:
            tf.random.set_seed(config.seed + Place.here().worker)
        trainer = Trainer(parts.model, parts.objective, parts.groups, config, workdir, parts.epochs.steps_per_epoch,
                          lambda: parts.start(initial_embedding, initial_run))
        if config.epochs and not trainer.step:
            startup_checks(parts.model, parts.objective, parts.head, *parts.first_batch(), config,
                           parts.starts_at_chance(initial_embedding, initial_run))
        trainer.fit(parts.epochs, validation_batches(records, config, sampling, objective.objective), stop)
    logging.info("Trained %s for %d steps: %s", model_config.model, int(trainer.step), workdir)


@contextlib.contextmanager
def _naming_damaged(records: str | Path) -> Iterator[None]:
    try:
        yield
    except tf.errors.DataLossError as error:
        reason = re.sub(r"\{\{.*?\}\}|\[.*", "", error.message, flags=re.DOTALL).strip()
        raise UserError(f"whole record files in {records}", reason,
                        "Copy the folder again or prepare it again; training continues from the last checkpoint.") from error
