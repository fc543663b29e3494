"""Dry runs of a recipe: overfitting one batch as a sanity check, and the settings of the smallest run (--smoke)."""

import dataclasses
import inspect
import tempfile
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.backbones.registry import BACKBONES
from landmark_zoo.core.errors import UserError
from landmark_zoo.data.manifest import read_manifest
from landmark_zoo.models.registry import MODELS, ModelConfig
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.objectives import Objective, ObjectiveConfig
from landmark_zoo.training.optimizer import Group, GroupedOptimizer
from landmark_zoo.training.precision import LossScale, auto_precision
from landmark_zoo.training.run import TrainingSetup, check_start
from landmark_zoo.training.sampling import SamplingConfig
from landmark_zoo.training.sanity_checks import check_fixed_weights
from landmark_zoo.training.train_step import TrainStep

SMOKE_LIMITS = {"epochs": 1, "batch_size": 8, "image_size": 96, "head_epochs": 1, "embedding_dim": 64, "query_size": 8,
                "pool_size": 48, "images_per_class": 4, "negatives": 5, "log_steps": 1, "cached_views": 1}
SMOKE_STEPS, SMOKE_ALPHA, SMOKE_DENSE_UNITS = 4, 0.25, 64


def overfit_one_batch(model: tf.keras.Model, objective: Objective, groups: list[Group], config: TrainingConfig,
                      images: tf.Tensor, labels: tf.Tensor, steps: int = 200, target: float = 0.1) -> bool:
    """Trains on one batch over and over, at the recipe's peak learning rate, and returns whether the loss fell.

    Nothing is written. The model's weights change.

    Args:
        model: Model to train.
        objective: Loss of a batch.
        groups: Parameter groups; see `optimizer.variable_groups`.
        config: Training settings; schedule, warm-up, EMA and `head_epochs` are not used.
        images: [B, H, W, 3], B the recipe's batch size.
        labels: int32 [B].
        steps: Largest number of steps.
        target: Fraction of the first loss to which the loss must fall.
    """
    config = dataclasses.replace(config, schedule="constant", final_learning_rate=0.0, decay_factor=None, decay_epochs="",
                                 warmup_fraction=0.0, head_epochs=0)
    run_step = tf.Variable(0, dtype=tf.int64)
    optimizer = GroupedOptimizer([dataclasses.replace(group, from_epoch=0) for group in groups], config, steps, run_step)
    step = TrainStep(objective, optimizer, run_step, config, LossScale() if config.precision == "mixed_float16" else None)
    first = loss = step(images, labels)[0]
    for number in range(2, steps + 1):
        if loss <= target * first:
            break
        if number % 20 == 0:
            logging.info("One batch, step %d: loss %.4g of %.4g.", number, loss, first)
        loss, _ = step(images, labels)
    fell = loss <= target * first
    logging.info("One batch, %d steps: the loss of %s went from %.4g to %.4g, %s %g of it.", int(run_step.numpy()),
                 model.name, first, loss, "below" if fell else "NOT below", target)
    return fell


def overfit_run(model_config: ModelConfig, config: TrainingConfig, records: str | Path, weights: str | None = None,
                initial_embedding: str = "random", *, objective: ObjectiveConfig, sampling: SamplingConfig,
                initial_run: str | None = None) -> None:
    """Overfits the first batch of a run as a sanity check, and writes nothing; a distillation is left out.

    Args:
        model_config: Settings of the model.
        config: Settings of training.
        records: Folder of `experiments.prepare`.
        weights: Weights of the backbone; see `backbones.load_weights`.
        initial_embedding: Part fitted to images before training; one of `INITIAL_EMBEDDINGS`.
        objective: Settings of the loss.
        sampling: Settings of the batches.
        initial_run: Folder of another run, whose kept weights training starts from.

    Raises:
        UserError: The loss of the batch does not fall to a tenth.
    """
    check_start(initial_embedding, initial_run)
    model_config = model_config.for_weights(weights)
    config = dataclasses.replace(config, precision=auto_precision(config.precision), cached_views=0)
    objective = dataclasses.replace(objective, distillation="none")
    manifest = read_manifest(Path(records) / "train")
    tf.keras.utils.set_random_seed(config.seed)
    with tempfile.TemporaryDirectory() as scratch:
        setup = TrainingSetup(model_config, config, objective, sampling, manifest, weights, scratch,
                              initial_embedding)
        if not (weights or initial_run):
            check_fixed_weights(setup.model, config, dry_run=True)
        setup.initialize(initial_embedding, initial_run)
        images, labels = next(iter(setup.epoch_data(0, 0)))
        fell = overfit_one_batch(setup.model, setup.objective, setup.groups, config, images, labels)
    if not fell:
        raise UserError("a model that learns one batch by heart", "a loss that did not fall to a tenth",
                        "Raise --learning_rate, or look at the images, the labels and what is frozen.")


def smoke_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """Returns the changes to a recipe by which it runs in under three minutes on two cores.

    One epoch of four steps of 8 images (or two landmarks, or one tuple) at 96 px, an embedding of at most 64 dimensions with
    random initial weights, dense layers of 64 units in place of VGG's 4096, and without pretrained weights a backbone of a
    quarter of its width. ImageNet weights, which would be downloaded, are left out, a file of weights is not; and so is a
    teacher, which would embed all images. Smaller settings stay as they are. A model that starts from another run keeps its
    sizes.

    Args:
        settings: Flags of `experiments.train` by name.

    Returns:
        New values by flag name, of the flags that change.
    """
    new = {name: min(settings[name], limit) for name, limit in SMOKE_LIMITS.items()}
    new |= {"steps_per_epoch": min(settings["steps_per_epoch"] or SMOKE_STEPS, SMOKE_STEPS), "image_sizes": "",
            "accumulate": 1, "weights": None if settings["weights"] == "imagenet" else settings["weights"],
            "teacher": None, "distillation": "none"}
    if settings["initial_run"]:
        del new["embedding_dim"]
    else:
        new |= {"initial_embedding": "random", **_narrow({**settings, **new})}
    if settings["sampler"] == "classes_by_images":
        new["batch_size"] = 2 * new["images_per_class"]
    elif settings["sampler"] == "mined_tuples":
        new["batch_size"] = 2 + new["negatives"]
    elif settings["accumulate"] > 1:
        new |= {"batch_size": 8, "accumulate": 2}
    return {name: value for name, value in new.items() if value != settings[name]}


def _narrow(settings: Mapping[str, object]) -> dict[str, object]:
    """Returns the width settings of a narrower model, where the model has such settings."""
    row, narrow = MODELS[settings["model"]], {}
    if "backbone" in row and BACKBONES[row["backbone"]].has_width and not settings["weights"]:
        narrow["alpha"] = min(settings["alpha"] or 1.0, SMOKE_ALPHA)
    if "builder" in row and "dense_units" in inspect.signature(row["builder"]).parameters:
        narrow["dense_units"] = min(settings["dense_units"] or SMOKE_DENSE_UNITS, SMOKE_DENSE_UNITS)
    return narrow
