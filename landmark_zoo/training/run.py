"""A whole training run: records in, checkpoints out."""

from pathlib import Path

import tensorflow as tf
from absl import logging

from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_json
from landmark_zoo.core.lock import lock_directory
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.data.manifest import Manifest, read_manifest
from landmark_zoo.data.pipeline import evaluation_dataset, steps_per_epoch, train_dataset
from landmark_zoo.layers.attention import Attention
from landmark_zoo.layers.heads import Head
from landmark_zoo.models.config import ModelConfig
from landmark_zoo.training.batchnorm import freeze_batchnorm
from landmark_zoo.training.checkpoints import has_checkpoint
from landmark_zoo.training.classification import Classification
from landmark_zoo.training.config import TrainingConfig
from landmark_zoo.training.grouped_optimizer import Group
from landmark_zoo.training.pca_start import pca_start
from landmark_zoo.training.trainer import Trainer
from landmark_zoo.training.workdir import claim

INITIAL_EMBEDDINGS = ("pca", "random")


def run_training(model_config: ModelConfig, config: TrainingConfig, records: str | Path, workdir: str | Path,
                 weights: str | None = None, initial_embedding: str = "random") -> None:
    """Trains on `records` into `workdir`; started again, it goes on where it was.

    Args:
        model_config: What is trained.
        config: How.
        records: Folder of `experiments.prepare`, with `train/` and, for a validation after each epoch, `validation/`.
        workdir: Gets `model.json`, `label_map.json`, `flags.json`, `history.jsonl`, `tensorboard/`, `initial/` and
            `checkpoints/`.
        weights: The backbone's; see `backbones.load_weights`.
        initial_embedding: "pca" or "random".
    """
    if initial_embedding not in INITIAL_EMBEDDINGS:
        raise UserError(f"--initial_embedding among {INITIAL_EMBEDDINGS}", repr(initial_embedding), "Choose one of them.")
    workdir = Path(workdir)
    manifest = read_manifest(Path(records) / "train")
    with lock_directory(workdir):
        tf.keras.utils.set_random_seed(config.seed)
        model = model_config.build(manifest.num_classes, None if has_checkpoint(workdir) else weights)
        claim(workdir, model_config, manifest.label_map,
              {"parameters": model.count_params(), "photographs": manifest.num_examples, "source": manifest.source})
        write_json(workdir / "flags.json", resolved_flags())
        head = model.get_layer(model_config.head)
        objective = Classification(model, head, config.label_smoothing,
                                   (config.attention_weight, config.perception_weight))
        trainer = Trainer(model, objective, _groups(model, config), config, workdir,
                          steps_per_epoch(manifest, config.batch_size),
                          lambda: _initialise(model, head, manifest, config, initial_embedding))
        trainer.fit(lambda epoch, skip: _epoch(manifest, config, epoch, skip), _validation(records, config))
    logging.info("Trained %s for %d steps: %s", model_config.model, int(trainer.step), workdir)


def _groups(model: tf.keras.Model, config: TrainingConfig) -> list[Group]:
    networks = [layer for layer in model.layers if isinstance(layer, tf.keras.Model)]
    if config.freeze_batchnorm:
        for network in networks:
            freeze_batchnorm(network)
    pretrained = [variable for network in networks for layer in network.layers if not isinstance(layer, Attention)
                  for variable in layer.trainable_variables]
    ours = {id(variable) for variable in pretrained}
    return [Group("backbone", pretrained, config.backbone_multiplier),
            Group("head", [v for v in model.trainable_variables if id(v) not in ours], config.head_multiplier)]


def _initialise(model: tf.keras.Model, head: Head, manifest: Manifest, config: TrainingConfig,
                initial_embedding: str) -> None:
    if initial_embedding == "pca":
        batches = evaluation_dataset(manifest, image_size=config.image_size, batch_size=config.batch_size)
        pca_start(model, head, batches, seed=config.seed)


def _epoch(manifest: Manifest, config: TrainingConfig, epoch: int, skip: int) -> tf.data.Dataset:
    return train_dataset(manifest, image_size=config.image_size, batch_size=config.batch_size, seed=config.seed,
                         epoch=epoch, skip_batches=skip)


def _validation(records: str | Path, config: TrainingConfig) -> tf.data.Dataset | None:
    folder = Path(records) / "validation"
    if not folder.exists():
        return None
    manifest = read_manifest(folder)
    if not manifest.num_examples:
        return None
    return evaluation_dataset(manifest, image_size=config.image_size, batch_size=config.batch_size)
